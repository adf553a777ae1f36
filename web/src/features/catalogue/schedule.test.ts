import { expect, test } from 'vitest'
import { choiceOf, cronOf, overlapsOf } from './schedule'

test.each([
  [null, 'never'],
  ['*/10 * * * *', 'ten_minutes'],
  ['15 * * * *', 'hourly'],
  ['30 2 * * *', 'daily'],
  ['0 2 * * 1', 'weekly'],
  ['0 2 1 * *', 'monthly'],
  ['0 2 31 * *', 'custom'],
  ['0 2 1 1,4,7,10 *', 'custom'],
  ['0 2 1 * 1', 'custom'],
])('%s is %s, there and back', (cron, frequency) => {
  const choice = choiceOf(cron)
  expect(choice.frequency).toBe(frequency)
  expect(cronOf(choice)).toBe(cron)
})

test('Sunday may be the first or the last day of a week', () => {
  expect(choiceOf('0 2 * * 0')).toMatchObject({ frequency: 'weekly', weekday: 7 })
})

test('the overlap that is set can be chosen again', () => {
  expect(overlapsOf('seconds', 600)).toEqual([0, 60, 600, 3600, 86400])
  expect(overlapsOf('seconds', 1200)).toEqual([0, 60, 600, 1200, 3600, 86400])
  expect(overlapsOf('numbers', 7)).toEqual([0, 7, 100, 1000, 10_000, 100_000])
})
