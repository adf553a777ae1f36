import { expect, test } from 'vitest'
import { grantQuestion } from './grantQuestion'

test('the question holds what the URL says, and nothing empty', () => {
  expect(grantQuestion('received', { state: 'expiring', q: '', page: '3', entry_id: ['a', 'b'] })).toEqual({
    side: 'received',
    state: 'expiring',
  })
})
