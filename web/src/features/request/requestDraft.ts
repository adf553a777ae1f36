/** What an officer has filled in so far. Kept in this browser tab, so that nothing typed is lost. */
import type { Condition, RequestBody } from '@/api/types'

export interface ConditionDraft {
  column: string
  op: Condition['op']
  /** As typed: values separated by commas, of either width, or line ends. */
  values: string
}

export interface RequestDraft {
  mode: string
  columns: string[]
  conditions: ConditionDraft[]
  purposeKind: RequestBody['purpose_kind']
  purpose: string
  duty: string
  consumerSystem: string
  /** Months, or 0 for no end. */
  termMonths: number
}

export const PURPOSE_KINDS: RequestBody['purpose_kind'][] = [
  'admin_basis',
  'work_reference',
  'data_check',
  'business_collaboration',
]
export const OPERATORS: Condition['op'][] = ['eq', 'in', 'prefix']
export const TERMS = [6, 12, 24, 36, 0]

export function emptyDraft(): RequestDraft {
  return {
    mode: '',
    columns: [],
    conditions: [],
    purposeKind: 'admin_basis',
    purpose: '',
    duty: '',
    consumerSystem: '',
    termMonths: 12,
  }
}

/** The values of a condition as typed. */
export function valuesOf(typed: string): string[] {
  return typed
    .split(/[,\uff0c\u3001\n]/)
    .map((value) => value.trim())
    .filter(Boolean)
}

/** The request to send. Conditions without a value are left out. */
export function bodyOf(draft: RequestDraft, entryId: string, versionNo: number): RequestBody {
  return {
    entry_id: entryId,
    version_no: versionNo,
    mode: draft.mode,
    columns: draft.columns,
    condition: draft.conditions
      .filter((one) => one.column && valuesOf(one.values).length)
      .map((one) => ({
        column: one.column,
        op: one.op,
        values: one.op === 'in' ? valuesOf(one.values) : [one.values.trim()],
      })),
    purpose_kind: draft.purposeKind,
    purpose: draft.purpose.trim(),
    duty: draft.duty.trim(),
    consumer_system: draft.consumerSystem.trim(),
    ...(draft.termMonths > 0 && { term_months: draft.termMonths }),
  }
}

const keyOf = (entryId: string) => `tongqu.request.${entryId}`

export function recallDraft(entryId: string): RequestDraft | null {
  try {
    const text = sessionStorage.getItem(keyOf(entryId))
    return text ? { ...emptyDraft(), ...(JSON.parse(text) as Partial<RequestDraft>) } : null
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
