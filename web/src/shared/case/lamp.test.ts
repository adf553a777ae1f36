import { expect, test } from 'vitest'
import type { Clock } from '@/api/types'
import { lampLook, lampSquares } from './lamp'

const clock = (kind: Clock['kind'], left?: number, limit?: number): Clock => ({ kind, left, limit })

test.each<[string, Clock, number, number]>([
  ['on time', clock('on_time', 3, 5), 5, 2],
  ['due today', clock('due_today', 0, 5), 5, 5],
  ['overdue', clock('overdue', -1, 5), 5, 5],
  ['done', clock('done', 2, 5), 0, 0],
  ['a word instead of days', clock('word'), 0, 0],
  ['more days than fit', clock('on_time', 28, 30), 0, 0],
])('%s: squares and how many are used', (_, given, all, used) => {
  const squares = lampSquares(given)
  expect(squares).toHaveLength(all)
  expect(squares.filter(Boolean)).toHaveLength(used)
})

test('only what is late is red', () => {
  const kinds: Clock['kind'][] = ['on_time', 'due_soon', 'due_today', 'overdue', 'done', 'word', 'no_limit', 'paused']
  expect(kinds.filter((kind) => lampLook(kind).tone === 'red')).toEqual(['overdue'])
})
