/** How dates, times and numbers are written. Server instants are UTC; readers see China Standard Time. */

const ZONE = 'Asia/Shanghai'

const parts = new Intl.DateTimeFormat('en-CA', {
  timeZone: ZONE,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

function split(instant: string): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(new Date(instant)).map((part) => [part.type, part.value]))
}

/** `2026-09-21 15:02`, or an empty text when there is no instant. */
export function dateTime(instant: string | null | undefined): string {
  if (!instant) return ''
  const { year, month, day, hour, minute } = split(instant)
  return `${year}-${month}-${day} ${hour}:${minute}`
}

/** `15:02:41`. */
export function clockTime(instant: string): string {
  const { hour, minute, second } = split(instant)
  return `${hour}:${minute}:${second}`
}

/** A civil date with its weekday in words, for example `2026年9月21日星期一`. */
export function longDate(date: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`))
}

/** The instant of a time as it is typed, in China Standard Time, or nothing while it isn't whole. */
export function instantOf(typed: string): string | null {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(typed) ? `${typed}:00+08:00` : null
}

/** The weekday of a civil date in words. */
export function weekday(date: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`))
}

/** `620,573`. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '—' : value.toLocaleString('en-US')
}

/** A large count in two parts, so that the unit can be set smaller: 38.6 and 亿 (`scale` 8). */
export function bigCount(value: number): { figure: string; scale: 0 | 4 | 8 } {
  if (value >= 1e8) return { figure: (value / 1e8).toFixed(1), scale: 8 }
  if (value >= 1e5) return { figure: (value / 1e4).toFixed(1), scale: 4 }
  return { figure: count(value), scale: 0 }
}

/** A share between 0 and 1 as `97.8`. */
export function percent(share: number): string {
  return (share * 100).toFixed(share === 1 ? 0 : 1)
}

/** Whole seconds between two instants. */
export function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000))
}
