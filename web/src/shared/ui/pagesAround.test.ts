import { expect, test } from 'vitest'
import { pagesAround } from './pagesAround'

test.each<[number, number, (number | null)[]]>([
  [1, 1, [1]],
  [1, 3, [1, 2, 3]],
  [1, 9, [1, 2, null, 9]],
  [4, 9, [1, 2, 3, 4, 5, null, 9]],
  [5, 9, [1, null, 4, 5, 6, null, 9]],
  [9, 9, [1, null, 8, 9]],
  [10_000, 10_000, [1, null, 9_999, 10_000]],
])('page %d of %d', (page, last, expected) => {
  expect(pagesAround(page, last)).toEqual(expected)
})
