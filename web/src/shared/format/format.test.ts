import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createI18n } from 'vue-i18n'
import { compileMessages } from '../../../build/messages'
import { bigCount, clockTime, count, dateTime, instantOf, longDate, percent, secondsBetween, weekday } from './format'

test('instants are written in China Standard Time', () => {
  expect(dateTime('2026-09-30T16:05:09.000000Z')).toBe('2026-10-01 00:05')
  expect(clockTime('2026-09-30T16:05:09.000000Z')).toBe('00:05:09')
  expect(dateTime(null)).toBe('')
})

test.each([
  ['zh-CN', '2026年10月1日星期四', '星期日'],
  ['en', 'Thursday, October 1, 2026', 'Sunday'],
])('civil dates in words, in %s', (locale, long, sunday) => {
  const texts = JSON.parse(readFileSync(join(import.meta.dirname, `../shared.${locale}.json`), 'utf8'))
  const i18n = createI18n({
    legacy: false,
    locale,
    messages: { [locale]: { shared: compileMessages(texts) as object } },
  })
  const say = (key: string, values: Record<string, unknown>) => i18n.global.t(key, values)
  expect(longDate('2026-10-01', say)).toBe(long)
  expect(weekday('2026-10-04', say)).toBe(sunday)
})

test.each([
  [99_999, '99,999', 0],
  [620_573, '62.1', 4],
  [3_862_000_000, '38.6', 8],
])('%d is shortened', (value, figure, scale) => {
  expect(bigCount(value)).toEqual({ figure, scale })
})

test('counts and shares', () => {
  expect(count(620_573)).toBe('620,573')
  expect([0, 999, 1000, -12_345, 9_876_543_210].map(count)).toEqual(['0', '999', '1,000', '-12,345', '9,876,543,210'])
  expect(count(null)).toBe('—')
  expect(percent(1)).toBe('100')
  expect(percent(0.978)).toBe('97.8')
  expect(secondsBetween('2026-09-22T02:10:00Z', '2026-09-22T02:10:42Z')).toBe(42)
})

test('a time that is typed is meant in China', () => {
  expect(instantOf('2026-09-21T15:02')).toBe('2026-09-21T15:02:00+08:00')
  expect(instantOf('2026-09-21')).toBeNull()
})
