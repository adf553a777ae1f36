import { expect, test } from 'vitest'
import type { ItemView } from '@/api/types'
import { differences } from './differences'

const item = (changes: Partial<ItemView>): ItemView => ({
  name: '村级名称',
  code: 'name',
  data_type: 'text',
  type_name: '字符型',
  length: 60,
  nullable: true,
  key: false,
  sensitive: false,
  sensitivity_name: '一般',
  ...changes,
})

test('a changed item names each property that differs, and no other', () => {
  const diff = {
    from: 1,
    to: 2,
    fields: [],
    items: [{ code: 'name', change: 'changed', before: item({}), after: item({ length: 100, nullable: false }) }],
  }
  expect(differences(diff)).toEqual([
    { key: 'name.length', item: '村级名称', field: 'item.length', change: 'changed', before: '60', after: '100' },
    { key: 'name.nullable', item: '村级名称', field: 'item.nullable', change: 'changed', before: '✓', after: '✗' },
  ])
})

test('an item that came or went is one line', () => {
  const diff = { from: 1, to: 2, fields: [], items: [{ code: 'name', change: 'added', after: item({}) }] }
  expect(differences(diff)).toEqual([{ key: 'name', item: '村级名称', change: 'added', after: 'name' }])
})
