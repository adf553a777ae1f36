import type { Ref } from 'vue'
import { useRouter } from 'vue-router'
import { useEventListener } from '@/shared/composables/useEventListener'
import { shortcuts } from '@/shared/preferences'

const GO: Record<string, string> = { d: '/desk', c: '/catalog', e: '/exchange' }
const GO_WAIT_MS = 1000

/**
 * `/` puts the cursor into the search, `G` then `D`, `C` or `E` opens desk, catalogue or exchange, `?` shows
 * them all. Whoever switched them off still has `?`, to switch them on again.
 */
export function useShortcuts(listShown: Ref<boolean>): void {
  const router = useRouter()
  let goPressedAt = -Infinity

  useEventListener(document, 'keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return
    const key = event.key.toLowerCase()
    if (key === '?') listShown.value = true
    if (!shortcuts.value) return
    if (key === '/') {
      event.preventDefault()
      const search = document.querySelector<HTMLElement>('[type=search]')
      if (search) search.focus()
      else void router.push('/catalog')
    } else if (key === 'g') {
      goPressedAt = event.timeStamp
    } else if (GO[key] && event.timeStamp - goPressedAt < GO_WAIT_MS) {
      void router.push(GO[key])
    }
  })
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null
}
