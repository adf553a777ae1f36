import type { ApiProblem } from '@/api/errors'

/** The server's sentence about one field, or nothing. Fields of a list (`columns[2]`) count as the list's. */
export function faultOf(problem: ApiProblem | null, field: string): string {
  if (!problem) return ''
  return problem.fields
    .filter(
      (fault) => fault.field === field || fault.field.startsWith(`${field}[`) || fault.field.startsWith(`${field}.`),
    )
    .map((fault) => fault.message)
    .join(' ')
}
