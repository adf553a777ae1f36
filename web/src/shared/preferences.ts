/** What this browser remembers of its reader: language, elder mode, shortcuts, the newest notice shown. */
import { ref, watchEffect } from 'vue'

export type Locale = 'zh-CN' | 'en'

const LOCALE_KEY = 'tongqu.locale'
const ELDER_KEY = 'tongqu.elder'
const SHORTCUTS_KEY = 'tongqu.shortcuts'
const NOTICES_KEY = 'tongqu.notices_seen_at'

// A browser may forbid storage; a preference is then kept for this page only.
function recall(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    return
  }
}

export function rememberedLocale(): Locale {
  return recall(LOCALE_KEY) === 'en' ? 'en' : 'zh-CN'
}

export function rememberLocale(locale: Locale): void {
  remember(LOCALE_KEY, locale)
}

/** Larger type and targets; the style sheet does the rest from the attribute. */
export const elderMode = ref(recall(ELDER_KEY) === 'true')

watchEffect(() => {
  document.documentElement.dataset['elder'] = String(elderMode.value)
  remember(ELDER_KEY, String(elderMode.value))
})

/** Single keys as shortcuts; some input tools for people with disabilities need them off (WCAG 2.1.4). */
export const shortcuts = ref(recall(SHORTCUTS_KEY) !== 'false')

watchEffect(() => remember(SHORTCUTS_KEY, String(shortcuts.value)))

/** Instant of the newest notice that has been shown; instants of the server compare as text. */
export const noticesSeenAt = ref(recall(NOTICES_KEY) ?? '')

export function rememberNoticesSeen(at: string): void {
  if (at <= noticesSeenAt.value) return
  noticesSeenAt.value = at
  remember(NOTICES_KEY, at)
}
