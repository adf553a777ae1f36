/** Conditions on rows, as they are typed and as they are sent. */
import type { TermView } from '@/api/types'

export interface ConditionDraft {
  column: string
  op: string
  /** As typed: values separated by commas, of either width, or line ends. */
  values: string
}

export const OPERATORS = ['eq', 'in', 'prefix']

/** The values of a condition as typed. */
export function valuesOf(typed: string): string[] {
  return typed
    .split(/[,\uff0c\u3001\n]/)
    .map((value) => value.trim())
    .filter(Boolean)
}

/** The terms to send. Conditions without a value are left out. */
export function termsOf(conditions: readonly ConditionDraft[]): TermView[] {
  return conditions
    .filter((one) => one.column && valuesOf(one.values).length)
    .map((one) => ({
      column: one.column,
      op: one.op,
      values: one.op === 'in' ? valuesOf(one.values) : [one.values.trim()],
    }))
}
