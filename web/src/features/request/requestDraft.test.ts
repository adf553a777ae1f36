import { expect, test } from 'vitest'
import { bodyOf, emptyDraft, keepDraft, recallDraft, valuesOf } from './requestDraft'

test('values may be separated by commas of either width', () => {
  expect(valuesOf('41， 42,43、44\n45')).toEqual(['41', '42', '43', '44', '45'])
})

test('a prefix condition keeps its text whole', () => {
  const draft = { ...emptyDraft(), conditions: [{ column: 'province_code', op: 'prefix' as const, values: ' 41 ' }] }
  expect(bodyOf(draft, 'e-1', 2).condition).toEqual([{ column: 'province_code', op: 'prefix', values: ['41'] }])
})

test('a condition without a value is not sent', () => {
  const draft = { ...emptyDraft(), conditions: [{ column: 'name', op: 'in' as const, values: ' ， ' }] }
  expect(bodyOf(draft, 'e-1', 1).condition).toEqual([])
})

test('a request without an end has no term', () => {
  expect(bodyOf({ ...emptyDraft(), termMonths: 0 }, 'e-1', 1)).not.toHaveProperty('term_months')
})

test('what was typed survives leaving the page, until it is sent', () => {
  keepDraft('e-9', { ...emptyDraft(), purpose: '核对区划' })
  expect(recallDraft('e-9')?.purpose).toBe('核对区划')
  keepDraft('e-9', null)
  expect(recallDraft('e-9')).toBeNull()
})
