import { expect, test } from 'vitest'
import { beginContext } from './beginContext'

test('a thing needs its kind and its id', () => {
  expect(beginContext({ kind: 'entry', id: 'e-1', name: '行政区划' }).subject).toEqual({
    kind: 'entry',
    id: 'e-1',
    name: '行政区划',
  })
  expect(beginContext({ kind: 'entry' }).subject).toBeUndefined()
  expect(beginContext({ kind: 'planet', id: 'p-1' }).subject).toBeUndefined()
})

test('a thing without a name is called by its id', () => {
  expect(beginContext({ kind: 'request', id: 'req-1' }).subject?.name).toBe('req-1')
})

test('an empty address says nothing', () => {
  expect(beginContext({ topic: '', process: '' })).toEqual({})
})
