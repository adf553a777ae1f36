import type { DayView } from '@/api/types'

export interface Month {
  number: number
  /** Weekday of the first day, 0 for Monday. */
  offset: number
  days: DayView[]
}

/** The days of a year, month by month. */
export function monthsOf(days: DayView[]): Month[] {
  const months = new Map<number, DayView[]>()
  for (const day of days) {
    const number = Number(day.date.slice(5, 7))
    months.set(number, [...(months.get(number) ?? []), day])
  }
  return [...months].map(([number, inMonth]) => ({
    number,
    offset: (new Date(`${inMonth[0]!.date}T00:00:00Z`).getUTCDay() + 6) % 7,
    days: inMonth,
  }))
}
