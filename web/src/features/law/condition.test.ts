import { expect, test } from 'vitest'
import { partsOf } from './condition'

test('a condition is taken apart into facts and the values that fit', () => {
  expect(partsOf('class=conditional, mode=table|file')).toEqual([
    { id: 'class', values: ['conditional'] },
    { id: 'mode', values: ['table', 'file'] },
  ])
})

test('what always holds has no parts', () => {
  expect(partsOf('always')).toEqual([])
})
