import { expect, test } from 'vitest'
import { ApiProblem } from '@/api/errors'
import { byLine } from './lineFaults'

const tell = (line: number, message: string) => `${line}: ${message}`

test('a fault in the file names its line, and others stay as they are', () => {
  const problem = new ApiProblem(422, 'calendar.unreadable', 'Faults', [
    { field: 'csv[3]', code: 'calendar.date', message: 'No such day.' },
    { field: 'title', code: 'calendar.notice_title', message: 'No title.' },
  ])
  expect(byLine(problem, tell)?.fields.map((fault) => fault.message)).toEqual(['3: No such day.', 'No title.'])
  expect(byLine(problem, tell)?.code).toBe('calendar.unreadable')
})

test('no problem stays none', () => expect(byLine(null, tell)).toBeNull())
