/** How far the reader is in the tour, and whether it is wanted at all. */
import { ref } from 'vue'
import { rememberedTour, rememberTour } from '@/shared/preferences'
import { steps } from './steps'

const remembered = rememberedTour()

/** The step that is shown, counted from 0. */
export const current = ref(Math.min(Math.max(remembered.step, 0), steps.length - 1))
/** Closed for good: neither panel nor button. */
export const dismissed = ref(remembered.dismissed)
export const isOpen = ref(false)

function keep(): void {
  rememberTour({ step: current.value, dismissed: dismissed.value })
}

export function goTo(step: number): void {
  if (step < 0 || step >= steps.length) return
  current.value = step
  keep()
}

/** Neither panel nor button any more, in this browser. */
export function dismiss(): void {
  isOpen.value = false
  dismissed.value = true
  keep()
}
