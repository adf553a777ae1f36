import { expect, test } from 'vitest'
import type { ClockView } from '@/api/types'
import { lampLook, lampSquares } from './lamp'

const clock = (kind: string, days?: number, limit?: number): ClockView => ({ kind, days, limit })

test.each<[string, ClockView, number, number]>([
  ['on time', clock('on_time', 3, 5), 5, 2],
  ['due today', clock('due_today', 0, 5), 5, 5],
  ['overdue', clock('overdue', 2, 5), 5, 5],
  ['done', clock('done', undefined, 5), 0, 0],
  ['a word instead of days', clock('word', 3), 0, 0],
  ['more days than fit', clock('on_time', 28, 30), 0, 0],
])('%s: squares and how many are used', (_, given, all, used) => {
  const squares = lampSquares(given)
  expect(squares).toHaveLength(all)
  expect(squares.filter(Boolean)).toHaveLength(used)
})

test('only what is late is red', () => {
  const kinds = ['off', 'no_limit', 'on_time', 'due_soon', 'due_today', 'overdue', 'word', 'paused', 'done']
  expect(kinds.filter((kind) => lampLook(kind).tone === 'red')).toEqual(['overdue'])
})

test('a kind from a newer server is drawn plainly', () => {
  expect(lampLook('frozen')).toMatchObject({ kind: 'no_limit', tone: 'grey' })
})
