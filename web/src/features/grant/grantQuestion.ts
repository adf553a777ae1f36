/** What is asked of the list of grants. The URL holds it, so that a link shows the same list. */
import type { LocationQuery } from 'vue-router'

export const SIDES = ['provided', 'received', 'all'] as const
export type Side = (typeof SIDES)[number]

export interface GrantQuestion {
  side: Side
  state?: string
  q?: string
  entry_id?: string
}

const NAMES = ['state', 'q', 'entry_id'] as const

export function grantQuestion(side: Side, query: LocationQuery): GrantQuestion {
  const given = NAMES.map((name) => [name, query[name]] as const)
  return { side, ...Object.fromEntries(given.filter(([, value]) => typeof value === 'string' && value !== '')) }
}
