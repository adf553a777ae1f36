/** First and last day of the month before a civil date; empty texts while the date isn't known. */
export function lastMonth(today: string): { from: string; to: string } {
  const [year, month] = today.split('-').map(Number)
  if (!year || !month) return { from: '', to: '' }
  const day = (monthIndex: number, date: number) =>
    new Date(Date.UTC(year, monthIndex, date)).toISOString().slice(0, 10)
  return { from: day(month - 2, 1), to: day(month - 1, 0) }
}
