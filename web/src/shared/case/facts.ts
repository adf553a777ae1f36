import type { FactView } from '@/api/types'

/** Whether a fact is answered with yes or no. */
export function isYesNo(fact: FactView): boolean {
  return fact.values.length > 0 && fact.values.every((value) => value === 'true' || value === 'false')
}
