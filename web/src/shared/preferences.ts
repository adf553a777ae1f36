/** What this browser remembers of its reader: language, elder mode, shortcuts, the newest notice shown, the tour. */
import { ref, watchEffect } from 'vue'

export type Locale = 'zh-CN' | 'en'

const LOCALE_KEY = 'tongqu.locale'
const ELDER_KEY = 'tongqu.elder'
const SHORTCUTS_KEY = 'tongqu.shortcuts'
const NOTICES_KEY = 'tongqu.notices_seen_at'
const TOUR_KEY = 'tongqu.tour'

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

/** How far the reader is in the demo's tour, and whether it is wanted at all. */
export interface RememberedTour {
  step: number
  dismissed: boolean
}

export function rememberedTour(): RememberedTour {
  const [step, dismissed] = (recall(TOUR_KEY) ?? '').split(' ')
  return { step: Number.parseInt(step ?? '', 10) || 0, dismissed: dismissed === 'dismissed' }
}

export function rememberTour({ step, dismissed }: RememberedTour): void {
  remember(TOUR_KEY, dismissed ? `${step} dismissed` : `${step}`)
}
