import type { IconName } from '@/shared/ui/icons'
import type { Tone } from '@/shared/ui/tones'

const LOOKS: Record<string, { tone: Tone; icon: IconName }> = {
  added: { tone: 'green', icon: 'plus' },
  removed: { tone: 'red', icon: 'close' },
  changed: { tone: 'amber', icon: 'refresh' },
}

/** Colour and icon of what became of a field or data item. */
export function changeLook(change: string): { tone: Tone; icon?: IconName } {
  return LOOKS[change] ?? { tone: 'grey' }
}
