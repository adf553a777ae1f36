import { expect, test } from 'vitest'
import type { StoreStateView } from '@/api/types'
import { gigabytes, troubledFirst } from './looks'

const store = (store_id: string, state: StoreStateView['state']) => ({ store_id, state }) as StoreStateView

test('stores that do not answer come first, the others stay in order', () => {
  const rows = [store('a', 'reachable'), store('b', 'unknown'), store('c', 'unreachable'), store('d', 'reachable')]
  expect(troubledFirst(rows).map((row) => row.store_id)).toEqual(['c', 'b', 'a', 'd'])
})

test('bytes are written in gigabytes', () => {
  expect(gigabytes(21 * 1024 ** 3)).toBe('21.0')
})
