import { expect, test } from 'vitest'
import { monthsOf } from './months'

const day = (date: string) => ({ date, kind: 'working' })

test('days stand under their weekday, Monday first', () => {
  const months = monthsOf([day('2026-01-01'), day('2026-01-02'), day('2026-02-01'), day('2026-06-01')])
  expect(months.map(({ no, blanks, days }) => [no, blanks, days.length])).toEqual([
    [1, 3, 2],
    [2, 6, 1],
    [6, 0, 1],
  ])
})

test('a year without days has no months', () => {
  expect(monthsOf([])).toEqual([])
})
