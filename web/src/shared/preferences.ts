/** What this browser remembers of its reader, as the pages use it: elder mode, shortcuts, the newest notice shown, the tour. */
import { ref, watchEffect } from 'vue'
import { recall, remember, rememberedElder, rememberElder } from './remembered'

const SHORTCUTS_KEY = 'tongqu.shortcuts'
const NOTICES_KEY = 'tongqu.notices_seen_at'
const TOUR_KEY = 'tongqu.tour'

/** Larger type and targets; the style sheet does the rest from the attribute. */
export const elderMode = ref(rememberedElder())

watchEffect(() => {
  document.documentElement.dataset['elder'] = String(elderMode.value)
  rememberElder(elderMode.value)
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
