import { expect, test } from 'vitest'
import { topOf } from './scale'

test.each([
  [0, 4],
  [4, 4],
  [7, 10],
  [10, 10],
  [11, 20],
  [240, 250],
  [251, 500],
  [620_573, 1_000_000],
])('the axis over %d ends at %d', (most, top) => {
  expect(topOf(most)).toBe(top)
})
