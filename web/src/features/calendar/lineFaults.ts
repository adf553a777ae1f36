import { ApiProblem } from '@/api/errors'

/** The problem with a file's faults told by line, as the reader finds them: `csv[3]` is its third line. */
export function byLine(problem: ApiProblem | null, tell: (line: number, message: string) => string): ApiProblem | null {
  if (!problem) return null
  const fields = problem.fields.map((fault) => {
    const line = /^csv\[(\d+)\]$/.exec(fault.field)?.[1]
    return line ? { ...fault, message: tell(Number(line), fault.message) } : fault
  })
  return new ApiProblem(problem.status, problem.code, problem.message, fields, problem.clause, problem.traceId)
}
