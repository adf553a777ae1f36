import type { DiffView, ItemView } from '@/api/types'

/** A data item in both versions, and what became of it. */
export interface Pair {
  code: string
  change: 'added' | 'removed' | 'changed' | 'same'
  before?: ItemView
  after?: ItemView
}

/**
 * The items of two versions beside each other: in the newer version's order, each removed one behind the
 * item that it stood behind.
 */
export function sideBySide(diff: DiffView, before: ItemView[], after: ItemView[]): Pair[] {
  const changes = new Map(diff.items.map((item) => [item.code, item.change as Pair['change']]))
  const pairs: Pair[] = after.map((item) => ({
    code: item.code,
    change: changes.get(item.code) ?? 'same',
    before: before.find((one) => one.code === item.code),
    after: item,
  }))
  before.forEach((item, index) => {
    if (after.some((one) => one.code === item.code)) return
    const previous = before[index - 1]?.code
    const at = pairs.findIndex((pair) => pair.code === previous) + 1
    pairs.splice(at, 0, { code: item.code, change: 'removed', before: item })
  })
  return pairs
}
