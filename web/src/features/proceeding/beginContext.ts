/** From where a case is begun, as the URL tells: the topic, and the thing that it is about. */
import type { LocationQuery } from 'vue-router'
import type { SubjectKind } from '@/api/types'

export interface BeginContext {
  topic?: string
  processId?: string
  subject?: { kind: SubjectKind; id: string; name: string }
  previousCaseId?: string
}

const KINDS: SubjectKind[] = ['entry', 'grant', 'request', 'case', 'department']

export function beginContext(query: LocationQuery): BeginContext {
  const text = (name: string): string | undefined => {
    const value = query[name]
    return typeof value === 'string' && value ? value : undefined
  }
  const kind = KINDS.find((one) => one === text('kind'))
  const id = text('id')
  return {
    topic: text('topic'),
    processId: text('process'),
    subject: kind && id ? { kind, id, name: text('name') ?? id } : undefined,
    previousCaseId: text('previous'),
  }
}
