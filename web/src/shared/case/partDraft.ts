/** What an approval takes away from a request, as it is ticked and typed. */
import type { DecisionFormView, PartBody } from '@/api/types'
import { termsOf, type ConditionDraft } from './conditions'

export interface PartDraft {
  /** Codes of the data items that are granted. */
  granted: string[]
  /** Why the others aren't, by their codes. */
  reasons: Record<string, string>
  /** Masks that are put on, by the codes of the data items; empty leaves one as it is. */
  masks: Record<string, string>
  conditions: ConditionDraft[]
  /** Months, or 0 for the term that was asked for. */
  termMonths: number
}

export function wholeOf(form: DecisionFormView): PartDraft {
  return { granted: form.items.map((item) => item.code), reasons: {}, masks: {}, conditions: [], termMonths: 0 }
}

/** The part to send, or nothing where all is granted as it was asked. */
export function partOf(draft: PartDraft, form: DecisionFormView): PartBody | null {
  const left = form.items.filter((item) => !draft.granted.includes(item.code))
  const masks = form.items
    .filter((item) => draft.granted.includes(item.code))
    .flatMap((item): [string, string][] => {
      const mask = draft.masks[item.code]
      return mask ? [[item.code, mask]] : []
    })
  const condition = termsOf(draft.conditions)
  if (!left.length && !masks.length && !condition.length && !draft.termMonths) return null
  return {
    refused: Object.fromEntries(left.map((item) => [item.code, draft.reasons[item.code]?.trim() ?? ''])),
    masks: Object.fromEntries(masks),
    condition,
    term_months: draft.termMonths || null,
  }
}

const TERMS = [1, 3, 6, 12, 24, 36]

/** Terms shorter than the one that was asked for, in months. */
export function shorterTerms(asked: number | null | undefined): number[] {
  return TERMS.filter((months) => !asked || months < asked)
}
