import type { ClockView } from '@/api/types'
import type { IconName } from '@/shared/ui/icons'

interface LampLook {
  /** The kinds this portal has words for. */
  kind: keyof typeof looks
  tone: 'green' | 'amber' | 'red' | 'grey'
  icon: IconName
}

const looks = {
  on_time: { tone: 'green', icon: 'clock' },
  due_soon: { tone: 'amber', icon: 'warn' },
  due_today: { tone: 'amber', icon: 'warn' },
  overdue: { tone: 'red', icon: 'alert' },
  done: { tone: 'green', icon: 'check' },
  word: { tone: 'grey', icon: 'clock' },
  no_limit: { tone: 'grey', icon: 'clock' },
  off: { tone: 'grey', icon: 'clock' },
  paused: { tone: 'grey', icon: 'pause' },
  calendar_missing: { tone: 'amber', icon: 'calendar' },
} as const

/** How a clock is drawn; a kind this portal does not know is drawn like one without a limit. */
export function lampLook(kind: string): LampLook {
  const known = (kind in looks ? kind : 'no_limit') as keyof typeof looks
  return { kind: known, ...looks[known] }
}

const SQUARES_MAX = 10
const COUNTING = ['on_time', 'due_soon', 'due_today', 'overdue']

/** One square per working day of the limit, true where the day is used up. None for clocks without days. */
export function lampSquares(clock: ClockView): boolean[] {
  const { kind, limit, days } = clock
  if (!COUNTING.includes(kind) || !limit || limit > SQUARES_MAX) return []
  const used = kind === 'overdue' ? limit : limit - (days ?? 0)
  return Array.from({ length: limit }, (_, at) => at < used)
}
