import { expect, test } from 'vitest'
import { questionOf } from './question'

test('a pasted link asks the same question', () => {
  expect(questionOf({ q: '行政区划', sharing_class: 'conditional', page: '3', stray: 'x' })).toEqual({
    q: '行政区划',
    sharing_class: 'conditional',
    page: 3,
    size: 10,
  })
})

test.each([['0'], ['-2'], ['x'], ['']])('page %j is read as the first', (page) => {
  expect(questionOf({ page }).page).toBe(1)
})

test('empty and repeated values are left out', () => {
  expect(questionOf({ q: '', mode: ['table', 'file'] })).toEqual({ page: 1, size: 10 })
})
