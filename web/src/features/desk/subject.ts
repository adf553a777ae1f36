/** Where a task or a settled case is handled: a sharing request beside the list, every other case on its own page. */
import type { DeskView } from '@/api/types'

interface AboutSomething {
  subject_kind: string
  subject_id: string
}

/** The request that a row is about, or nothing. */
export function requestOf(row: AboutSomething): string | undefined {
  return row.subject_kind === 'request' ? row.subject_id : undefined
}

/** All requests that the desk lists as tasks or as settled. */
export function requestsOf(desk: DeskView): string[] {
  return [...desk.todo, ...desk.settled].map(requestOf).filter((id) => id !== undefined)
}
