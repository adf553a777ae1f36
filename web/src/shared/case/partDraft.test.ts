import { expect, test } from 'vitest'
import type { DecisionFormView } from '@/api/types'
import { partOf, shorterTerms, wholeOf } from './partDraft'

const item = (code: string) => ({ code, name: code, required: code === 'code', sensitive: false, masks: [] })
const form: DecisionFormView = {
  items: [item('code'), item('name'), item('phone')],
  condition: [],
  needs_reason: true,
  term_months: 12,
}

test('nothing taken away is no part', () => {
  expect(partOf(wholeOf(form), form)).toBeNull()
})

test('what is not ticked is refused with its reason, and its mask forgotten', () => {
  const draft = {
    ...wholeOf(form),
    granted: ['code', 'name'],
    reasons: { phone: ' no duty ', name: 'unticked and ticked again' },
    masks: { phone: 'hidden', name: 'person_name' },
    conditions: [{ column: 'code', op: 'in', values: '41，42' }],
    termMonths: 6,
  }
  expect(partOf(draft, form)).toEqual({
    refused: { phone: 'no duty' },
    masks: { name: 'person_name' },
    condition: [{ column: 'code', op: 'in', values: ['41', '42'] }],
    term_months: 6,
  })
})

test('only shorter terms are offered', () => {
  expect(shorterTerms(12)).toEqual([1, 3, 6])
  expect(shorterTerms(null)).toContain(36)
})
