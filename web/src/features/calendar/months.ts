import type { CalendarDayView } from '@/api/types'

export interface Month {
  /** From 1. */
  no: number
  /** Empty cells before the first day, in a week that begins on Monday. */
  blanks: number
  days: CalendarDayView[]
}

/** The days of a year month by month. */
export function monthsOf(days: CalendarDayView[]): Month[] {
  const months = new Map<number, CalendarDayView[]>()
  for (const day of days) {
    const no = Number(day.date.slice(5, 7))
    months.set(no, [...(months.get(no) ?? []), day])
  }
  return [...months].map(([no, all]) => ({ no, blanks: blanksBefore(all[0]!.date), days: all }))
}

function blanksBefore(date: string): number {
  return (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7
}
