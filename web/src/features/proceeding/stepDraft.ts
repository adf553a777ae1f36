/** What somebody has filled in for a step so far, and what of it is sent. */
import type { ApiProblem } from '@/api/errors'
import type { StepBody } from '@/api/types'
import { faultOf } from '@/shared/form/faults'

export interface StepDraft {
  reason: string
  ground: string
  /** By fact, its value as a code; unanswered ones are missing. */
  facts: Record<string, string>
  sealKind: string
  attachmentId: string
  extraDays: number | ''
  ordersDueOn: string
}

export function emptyDraft(): StepDraft {
  return { reason: '', ground: '', facts: {}, sealKind: '', attachmentId: '', extraDays: '', ordersDueOn: '' }
}

/** The body of a step. What was left empty is left out, so that the server says what is missing. */
export function stepBody(draft: StepDraft, hasForm: boolean, outcome?: string): StepBody {
  return {
    outcome: outcome ?? null,
    reason: draft.reason.trim() || null,
    ground: draft.ground || null,
    facts: answered(draft.facts),
    form: hasForm ? { seal_kind: draft.sealKind || null, attachment_id: draft.attachmentId || null } : null,
    extra_working_days: draft.extraDays === '' ? null : draft.extraDays,
    orders_due_on: draft.ordersDueOn || null,
  }
}

/** Facts with an answer. */
export function answered(facts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ''))
}

/** What the case engine refuses as a whole, by the field of a step that it speaks of. */
const FIELDS: Record<string, string> = {
  'case.fact_missing': 'facts',
  'case.fact_invalid': 'facts',
  'case.reason_required': 'reason',
  'case.ground_required': 'ground',
  'case.ground_not_allowed': 'ground',
  'case.extension_invalid': 'extra_working_days',
  'case.due_date_invalid': 'orders_due_on',
}

/** The server's sentence about one field of a step. */
export function stepFaultOf(problem: ApiProblem | null, field: string): string {
  if (problem && FIELDS[problem.code] === field) return faultOf(problem, field) || problem.message
  return faultOf(problem, field)
}
