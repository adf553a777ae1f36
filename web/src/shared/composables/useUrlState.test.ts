import { expect, test } from 'vitest'
import { withValue } from './useUrlState'

test('one value changes and the others stay', () => {
  expect(withValue({ tab: 'mine', case: 'c-1' }, 'tab', 'done')).toEqual({ tab: 'done', case: 'c-1' })
  expect(withValue({ tab: 'mine', case: 'c-1' }, 'case', '')).toEqual({ tab: 'mine' })
})
