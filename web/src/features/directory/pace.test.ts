import { expect, test } from 'vitest'
import { KB, limitOf } from './pace'

test('what is typed as a limit is a number, nothing, or refused', () => {
  expect(limitOf('5000')).toBe(5000)
  expect(limitOf(' 12 ', KB)).toBe(12_288)
  expect(limitOf('')).toBeNull()
  expect(limitOf('  ')).toBeNull()
  for (const typed of ['many', '-1', '1.5', '1e3', '1,000', '0x10']) expect(limitOf(typed), typed).toBe(-1)
  expect(limitOf('9'.repeat(30), KB)).toBe(Number.MAX_SAFE_INTEGER)
})
