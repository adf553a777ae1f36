/** The page as index.html draws it, until the portal's own script draws it anew. */
import type { RouteMeta } from 'vue-router'
import { rememberedElder, rememberedLocale, rememberedName } from '@/shared/remembered'

/** Shows a frame, in the reader's language and size of type. */
export function drawFrame(frame: RouteMeta['frame'] | 'failed'): void {
  const { dataset } = document.documentElement
  dataset['elder'] = String(rememberedElder())
  dataset['frame'] = frame ?? 'page'
}

/** Index.html is written in Chinese, and each of its texts holds the English beside it. */
export function translateFrame(): void {
  const locale = rememberedLocale()
  document.documentElement.lang = locale
  if (locale === 'en') {
    for (const element of document.querySelectorAll<HTMLElement>('[data-en]')) {
      element.textContent = element.dataset['en']!
    }
  }
  nameFrame(rememberedName())
}

/** Puts the installation's own name in the place of the product's, once it has one. */
export function nameFrame(name: string): void {
  if (!name) return
  for (const element of document.querySelectorAll('[data-name]')) element.textContent = name
}
