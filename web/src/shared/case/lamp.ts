import type { Clock } from '@/api/types'
import type { IconName } from '@/shared/ui/icons'

interface LampLook {
  tone: 'green' | 'amber' | 'red' | 'grey'
  icon: IconName
}

const looks: Record<Clock['kind'], LampLook> = {
  on_time: { tone: 'green', icon: 'clock' },
  due_soon: { tone: 'amber', icon: 'warn' },
  due_today: { tone: 'amber', icon: 'warn' },
  overdue: { tone: 'red', icon: 'alert' },
  done: { tone: 'green', icon: 'check' },
  word: { tone: 'grey', icon: 'clock' },
  no_limit: { tone: 'grey', icon: 'clock' },
  paused: { tone: 'grey', icon: 'pause' },
}

export function lampLook(kind: Clock['kind']): LampLook {
  return looks[kind]
}

const SQUARES_MAX = 10

/** One square per working day of the limit, true where the day is used up. None for clocks without days. */
export function lampSquares(clock: Clock): boolean[] {
  const { limit, left } = clock
  if (!limit || left === undefined || left === null || limit > SQUARES_MAX || clock.kind === 'done') return []
  const used = limit - Math.max(left, 0)
  return Array.from({ length: limit }, (_, at) => at < used)
}
