/** What happens around every navigation: session, texts, title, focus. */
import type { RouteLocationNormalized, Router } from 'vue-router'
import { platformQuery } from '@/shared/platform'
import { useSession } from '@/shared/session'
import { i18n, loadFeatureMessages } from './i18n'
import { queryClient } from './queryClient'

function setTitle(to: RouteLocationNormalized): void {
  const platform = queryClient.getQueryData<{ name: string }>(platformQuery.queryKey)
  const page = to.meta.title ? i18n.global.t(to.meta.title) : undefined
  document.title = [page, platform?.name].filter(Boolean).join(' · ')
}

export function guard(router: Router): void {
  const session = useSession()

  router.beforeEach(async (to) => {
    const texts = to.meta.feature ? loadFeatureMessages(to.meta.feature) : undefined
    try {
      const platform = await queryClient.ensureQueryData(platformQuery)
      // A guest's session isn't asked for: the refusal would stand in the console as an error.
      if (!session.asked.value && platform.signed_in) await session.load()
      if (platform.setup_needed && to.path !== '/setup' && !to.meta.public) return '/setup'
    } catch {
      // The server is away. The page opens and says so in its own place.
      await texts
      return true
    }
    await texts
    if (!to.meta.public && !session.me.value) {
      return { path: '/login', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
    }
    return true
  })

  router.afterEach((to, from) => {
    setTitle(to)
    // Not on the first page, and not when only a filter, a tab or a page number has changed.
    if (from.matched.length > 0 && to.path !== from.path) {
      requestAnimationFrame(() => document.getElementById('main')?.focus({ preventScroll: true }))
    }
  })
}
