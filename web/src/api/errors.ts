import type { FieldFault, Problem } from './types'

/**
 * Something the server refused or could not do.
 *
 * `message` is the server's sentence for the reader. It is empty for the codes `portal.*`, which arise in
 * the browser and whose sentences are in the shared message files.
 */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: FieldFault[] = [],
    readonly clause?: string,
    readonly traceId?: string,
    /** The process to begin first, where an approval is missing. */
    readonly processId?: string,
  ) {
    super(message)
  }

  static async fromResponse(response: Response): Promise<ApiProblem> {
    const body = (await response.json().catch(() => null)) as Partial<Problem> | null
    if (!body?.code || !body.message) return new ApiProblem(response.status, 'portal.unreadable', '')
    return new ApiProblem(
      response.status,
      body.code,
      body.message,
      body.fields ?? [],
      body.clause ?? undefined,
      body.trace_id,
      body.process_id ?? undefined,
    )
  }

  static unreachable(): ApiProblem {
    return new ApiProblem(0, 'portal.unreachable', '')
  }

  static unreadable(): ApiProblem {
    return new ApiProblem(0, 'portal.unreadable', '')
  }

  /** The reader lacks the right to see or do this. */
  get isForbidden(): boolean {
    return this.status === 403
  }

  /** Asking again might help. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

/** What was thrown, as a problem. */
export function asProblem(thrown: unknown): ApiProblem {
  return thrown instanceof ApiProblem ? thrown : ApiProblem.unreadable()
}
