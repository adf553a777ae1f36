import { expect, test } from 'vitest'
import type { DayView } from '@/api/types'
import { monthsOf } from './months'

const day = (date: string): DayView => ({ date, kind: 'working', today: false })

test('October 2026 begins on a Thursday', () => {
  const [september, october] = monthsOf([day('2026-09-30'), day('2026-10-01'), day('2026-10-02')])
  expect(september?.days).toHaveLength(1)
  expect(october).toMatchObject({ number: 10, offset: 3 })
})
