import { expect, test } from 'vitest'
import { ApiProblem } from '@/api/errors'
import { faultOf } from './faults'

const problem = new ApiProblem(422, 'request.incomplete', 'incomplete', [
  { field: 'columns[2]', code: 'unknown', message: 'no such item.' },
  { field: 'purpose', code: 'empty', message: 'state the purpose.' },
  { field: 'purpose_kind', code: 'empty', message: 'choose one.' },
])

test('a field shows its own faults and those of its parts', () => {
  expect(faultOf(problem, 'columns')).toBe('no such item.')
  expect(faultOf(problem, 'purpose')).toBe('state the purpose.')
  expect(faultOf(problem, 'duty')).toBe('')
  expect(faultOf(null, 'purpose')).toBe('')
})
