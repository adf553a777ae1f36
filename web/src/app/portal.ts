/** The portal itself. The first page is drawn as a whole, in the place of the frame that was there before it. */
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'
import App from '../App.vue'
import { i18n, startLocale } from './i18n'
import { queryClient } from './queryClient'
import { router } from './router'

export async function openPortal(): Promise<void> {
  await startLocale()
  const app = createApp(App).use(i18n).use(VueQueryPlugin, { queryClient }).use(router)
  // A page whose code doesn't arrive leaves the frame with its menu, from where the reader goes on.
  await router.isReady().catch(() => undefined)
  app.mount('#app')
}
