import type { Counts } from '@/api/types'

/** Whether the run's counts account for every row that was read. */
export function addsUp(counts: Counts): boolean {
  return counts.read === counts.delivered + counts.unchanged + counts.out_of_scope + counts.quarantined
}
