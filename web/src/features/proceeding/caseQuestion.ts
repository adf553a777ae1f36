/** What is asked of the list of cases. The URL holds it, so that a link shows the same list. */
import type { LocationQuery } from 'vue-router'

export interface CaseQuestion {
  scope?: string
  state?: string
  process_id?: string
  subject_kind?: string
  subject_id?: string
}

const NAMES = ['scope', 'state', 'process_id', 'subject_kind', 'subject_id'] as const

export function caseQuestion(query: LocationQuery): CaseQuestion {
  const given = NAMES.map((name) => [name, query[name]] as const)
  return Object.fromEntries(given.filter(([, value]) => typeof value === 'string' && value !== ''))
}
