import type { LocationQuery } from 'vue-router'
import type { operations } from '@/api/schema.gen'

export type Question = NonNullable<operations['search_entries']['parameters']['query']>

export const PAGE_SIZE = 10

/** The facets the search understands. Their names and values come with each answer. */
export const FACETS = [
  'sharing_class',
  'mode',
  'department_id',
  'base_library',
  'update_cycle',
  'grade',
  'mounted',
] as const satisfies readonly (keyof Question)[]

export type FacetField = (typeof FACETS)[number]

export function isFacet(field: string): field is FacetField {
  return (FACETS as readonly string[]).includes(field)
}

/** Reads a question from the URL. Anything unknown or malformed in it is left out. */
export function questionOf(query: LocationQuery): Question {
  const text = (name: string) => {
    const value = query[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const question: Question = { page: Math.max(1, Math.trunc(Number(text('page') ?? 1)) || 1), size: PAGE_SIZE }
  for (const name of ['q', 'sort', ...FACETS] as const) {
    const value = text(name)
    if (value !== undefined) question[name] = value
  }
  return question
}
