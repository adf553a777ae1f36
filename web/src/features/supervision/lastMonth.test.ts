import { expect, test } from 'vitest'
import { lastMonth } from './lastMonth'

test('the month before is whole, over the turn of the year too', () => {
  expect(lastMonth('2026-09-21')).toEqual({ from: '2026-08-01', to: '2026-08-31' })
  expect(lastMonth('2026-01-05')).toEqual({ from: '2025-12-01', to: '2025-12-31' })
  expect(lastMonth('2024-03-31')).toEqual({ from: '2024-02-01', to: '2024-02-29' })
})

test('without a date there is no month', () => {
  expect(lastMonth('')).toEqual({ from: '', to: '' })
})
