/** What an officer has filled in so far. Kept in this browser tab, so that nothing typed is lost. */
import type { EntryView, FileBody, PreviewView } from '@/api/types'
import { termsOf, type ConditionDraft } from '@/shared/case/conditions'

export interface RequestDraft {
  mode: string
  columns: string[]
  conditions: ConditionDraft[]
  purposeKind: string
  purpose: string
  duty: string
  consumerSystem: string
  /** Months, or 0 for no end. */
  termMonths: number
  /** What the regulation asks beside, by the fact. */
  facts: Record<string, string>
  /** The request that this one follows. */
  previousRequestId: string | null
  /** The form with its seal, where the first step needs one or the application came on paper. */
  sealKind: string
  attachmentId: string
}

export const PURPOSE_KINDS = ['admin_basis', 'work_reference', 'data_check', 'business_collaboration']
export const TERMS = [6, 12, 24, 36, 0]

/** The form as the server fills it in, with the data items that the officer has picked. */
export function draftOf(entry: EntryView, preview: PreviewView, picked: string[]): RequestDraft {
  const { prefill } = preview
  return {
    mode: (preview.modes.find((one) => one.mode === prefill.mode) ?? preview.modes[0])?.mode ?? '',
    columns: withKey(entry, picked.length ? picked : prefill.columns),
    conditions: prefill.condition.map(({ column, op, values }) => ({ column, op, values: values.join(',') })),
    purposeKind: prefill.purpose_kind,
    purpose: prefill.purpose,
    duty: prefill.duty,
    consumerSystem: prefill.consumer_system,
    termMonths: prefill.term_months ?? 0,
    facts: {},
    previousRequestId: prefill.previous_request_id ?? null,
    sealKind: '',
    attachmentId: '',
  }
}

/** The items chosen, in the entry's order, always with its key. */
export function withKey(entry: EntryView, chosen: string[]): string[] {
  return entry.content.items.filter((item) => item.key || chosen.includes(item.code)).map((item) => item.code)
}

/** The request to send; `paperOf` is the department that has applied on paper. */
export function bodyOf(draft: RequestDraft, entryId: string, versionNo: number, paperOf = ''): FileBody {
  const seal = { seal_kind: draft.sealKind || null, attachment_id: draft.attachmentId }
  return {
    entry_id: entryId,
    version_no: versionNo,
    mode: draft.mode,
    columns: draft.columns,
    condition: termsOf(draft.conditions),
    purpose_kind: draft.purposeKind,
    purpose: draft.purpose.trim(),
    duty: draft.duty.trim(),
    consumer_system: draft.consumerSystem.trim(),
    term_months: draft.termMonths || null,
    facts: draft.facts,
    previous_request_id: draft.previousRequestId,
    form:
      !paperOf && (draft.sealKind || draft.attachmentId)
        ? { ...seal, attachment_id: draft.attachmentId || null }
        : null,
    on_paper: paperOf ? { ...seal, department_id: paperOf } : null,
    // The form isn't sent before its box is ticked.
    undertaken: true,
  }
}

const keyOf = (entryId: string) => `tongqu.request.${entryId}`

export function recallDraft(entryId: string): RequestDraft | null {
  try {
    const text = sessionStorage.getItem(keyOf(entryId))
    return text ? (JSON.parse(text) as RequestDraft) : null
  } catch {
    return null
  }
}

export function keepDraft(entryId: string, draft: RequestDraft | null): void {
  try {
    if (draft) sessionStorage.setItem(keyOf(entryId), JSON.stringify(draft))
    else sessionStorage.removeItem(keyOf(entryId))
  } catch {
    // Storage may be forbidden or full; the page itself still holds what was typed.
    return
  }
}
