/** A schedule as people choose it, and as five fields of cron. Whether it is sound is the server's to say. */

export const FREQUENCIES = ['never', 'ten_minutes', 'hourly', 'daily', 'weekly', 'monthly', 'custom'] as const

export interface Choice {
  frequency: (typeof FREQUENCIES)[number]
  /** 0 to 59. */
  minute: number
  /** 0 to 23. */
  hour: number
  /** 1 is Monday, 7 Sunday. */
  weekday: number
  /** 1 to 28, so that every month has it. */
  day: number
  /** Five fields, as they were typed. */
  custom: string
}

const NIGHT: Choice = { frequency: 'never', minute: 0, hour: 2, weekday: 1, day: 1, custom: '' }

/** The five fields; nothing for a resource that is collected only when somebody asks. */
export function cronOf({ frequency, minute, hour, weekday, day, custom }: Choice): string | null {
  switch (frequency) {
    case 'never':
      return null
    case 'ten_minutes':
      return '*/10 * * * *'
    case 'hourly':
      return `${minute} * * * *`
    case 'daily':
      return `${minute} ${hour} * * *`
    case 'weekly':
      return `${minute} ${hour} * * ${weekday}`
    case 'monthly':
      return `${minute} ${hour} ${day} * *`
    case 'custom':
      return custom.trim()
  }
}

/** The choice that five fields stand for. */
export function choiceOf(cron: string | null | undefined): Choice {
  if (!cron) return NIGHT
  const custom: Choice = { ...NIGHT, frequency: 'custom', custom: cron }
  const [minute, hour, day, month, weekday] = cron
    .split(' ')
    .map((field) => (/^\d+$/.test(field) ? Number(field) : field))
  const tried: Choice[] = [
    { ...custom, frequency: 'ten_minutes' },
    ...(typeof minute === 'number' ? [{ ...custom, frequency: 'hourly' as const, minute }] : []),
  ]
  if (typeof minute === 'number' && typeof hour === 'number' && month === '*') {
    const at = { ...custom, minute, hour }
    tried.push({ ...at, frequency: 'daily' })
    if (typeof weekday === 'number') tried.push({ ...at, frequency: 'weekly', weekday: weekday === 0 ? 7 : weekday })
    if (typeof day === 'number' && day <= 28) tried.push({ ...at, frequency: 'monthly', day })
  }
  const canonical = cron.replace(/ 0$/, ' 7')
  return tried.find((choice) => [cron, canonical].includes(cronOf(choice) ?? '')) ?? custom
}

/** How far back a reading may go, in seconds and in numbers. */
export const OVERLAPS_S: readonly number[] = [0, 60, 600, 3600, 86400]
const OVERLAPS_NUMBERS: readonly number[] = [0, 100, 1000, 10_000, 100_000]

/** The overlaps to choose from, in the unit of the column, with the one that is set. */
export function overlapsOf(unit: string, set: number): number[] {
  const usual = unit === 'numbers' ? OVERLAPS_NUMBERS : OVERLAPS_S
  return usual.includes(set) ? [...usual] : [...usual, set].sort((a, b) => a - b)
}
