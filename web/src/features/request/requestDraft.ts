/** What an officer has filled in so far. Kept in this browser tab, so that nothing typed is lost. */
import type { EntryView, FileBody, PreviewView, TermView } from '@/api/types'

export interface ConditionDraft {
  column: string
  op: string
  /** As typed: values separated by commas, of either width, or line ends. */
  values: string
}

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
}

export const PURPOSE_KINDS = ['admin_basis', 'work_reference', 'data_check', 'business_collaboration']
export const OPERATORS = ['eq', 'in', 'prefix']
export const TERMS = [6, 12, 24, 36, 0]

/** The form as the server fills it in, with the data items that the officer has picked. */
export function draftOf(entry: EntryView, preview: PreviewView, picked: string[]): RequestDraft {
  const { prefill } = preview
  return {
    mode: preview.modes[0]?.mode ?? '',
    columns: withKey(entry, picked.length ? picked : prefill.columns),
    conditions: prefill.condition.map(({ column, op, values }) => ({ column, op, values: values.join(',') })),
    purposeKind: prefill.purpose_kind,
    purpose: prefill.purpose,
    duty: prefill.duty,
    consumerSystem: prefill.consumer_system,
    termMonths: prefill.term_months ?? 0,
    facts: {},
    previousRequestId: prefill.previous_request_id ?? null,
  }
}

/** The items chosen, in the entry's order, always with its key. */
export function withKey(entry: EntryView, chosen: string[]): string[] {
  return entry.content.items.filter((item) => item.key || chosen.includes(item.code)).map((item) => item.code)
}

/** The values of a condition as typed. */
export function valuesOf(typed: string): string[] {
  return typed
    .split(/[,\uff0c\u3001\n]/)
    .map((value) => value.trim())
    .filter(Boolean)
}

/** The request to send. Conditions without a value are left out. */
export function bodyOf(draft: RequestDraft, entryId: string, versionNo: number): FileBody {
  return {
    entry_id: entryId,
    version_no: versionNo,
    mode: draft.mode,
    columns: draft.columns,
    condition: draft.conditions
      .filter((one) => one.column && valuesOf(one.values).length)
      .map((one): TermView => ({
        column: one.column,
        op: one.op,
        values: one.op === 'in' ? valuesOf(one.values) : [one.values.trim()],
      })),
    purpose_kind: draft.purposeKind,
    purpose: draft.purpose.trim(),
    duty: draft.duty.trim(),
    consumer_system: draft.consumerSystem.trim(),
    term_months: draft.termMonths || null,
    facts: draft.facts,
    previous_request_id: draft.previousRequestId,
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
