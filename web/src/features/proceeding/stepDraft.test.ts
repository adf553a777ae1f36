import { expect, test } from 'vitest'
import { ApiProblem } from '@/api/errors'
import { isYesNo } from '@/shared/case/facts'
import { answered, emptyDraft, stepBody, stepFaultOf } from './stepDraft'

test('what is empty is not sent', () => {
  expect(stepBody(emptyDraft(), false)).toEqual({
    outcome: null,
    reason: null,
    ground: null,
    facts: {},
    form: null,
    extra_working_days: null,
    orders_due_on: null,
  })
})

test('a form that is needed goes out even when nothing was uploaded, so that the server can refuse it', () => {
  expect(stepBody(emptyDraft(), true).form).toEqual({ seal_kind: null, attachment_id: null })
})

test('the outcome is the button that was pressed, and reasons lose their blank edges', () => {
  const draft = { ...emptyDraft(), reason: '  情况不符 ', extraDays: 3 as const }
  expect(stepBody(draft, false, 'refused')).toMatchObject({
    outcome: 'refused',
    reason: '情况不符',
    extra_working_days: 3,
  })
})

test('unanswered facts are left out', () => {
  expect(answered({ technical_cause: 'false', serious: '' })).toEqual({ technical_cause: 'false' })
})

test('yes and no are told from codes', () => {
  expect(isYesNo({ id: 'a', name: 'a', values: ['true', 'false'] })).toBe(true)
  expect(isYesNo({ id: 'a', name: 'a', values: ['conditional', 'true'] })).toBe(false)
  expect(isYesNo({ id: 'a', name: 'a', values: [] })).toBe(false)
})

test('a refusal as a whole stands at the field it speaks of', () => {
  const problem = new ApiProblem(422, 'case.extension_invalid', 'Too many days.')
  expect(stepFaultOf(problem, 'extra_working_days')).toBe('Too many days.')
  expect(stepFaultOf(problem, 'reason')).toBe('')
  const long = new ApiProblem(422, 'request.text_too_long', 'Too long.', [
    { field: 'reason', code: 'request.text_too_long', message: 'Shorten it.' },
  ])
  expect(stepFaultOf(long, 'reason')).toBe('Shorten it.')
  expect(stepFaultOf(null, 'reason')).toBe('')
})
