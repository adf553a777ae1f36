import { expect, test } from 'vitest'
import type { DiffView, ItemView } from '@/api/types'
import { sideBySide } from './sideBySide'

const item = (code: string) => ({ code, name: code }) as ItemView
const diff = (changes: Record<string, string>) =>
  ({
    from: 1,
    to: 2,
    fields: [],
    items: Object.entries(changes).map(([code, change]) => ({ code, change })),
  }) as DiffView

test('a removed item keeps its place among those that stayed', () => {
  const pairs = sideBySide(
    diff({ b: 'removed', d: 'added', c: 'changed' }),
    ['a', 'b', 'c'].map(item),
    ['a', 'c', 'd'].map(item),
  )
  expect(pairs.map((pair) => [pair.code, pair.change])).toEqual([
    ['a', 'same'],
    ['b', 'removed'],
    ['c', 'changed'],
    ['d', 'added'],
  ])
  expect(pairs[1]!.after).toBeUndefined()
  expect(pairs[2]!.before!.code).toBe('c')
})

test('items that were first and one behind the other are not lost', () => {
  const pairs = sideBySide(diff({ a: 'removed', b: 'removed' }), ['a', 'b', 'c'].map(item), ['c'].map(item))
  expect(pairs.map((pair) => pair.code)).toEqual(['a', 'b', 'c'])
})
