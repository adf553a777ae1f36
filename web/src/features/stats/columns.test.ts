import { expect, test } from 'vitest'
import type { DepartmentFiguresView } from '@/api/types'
import { behind, figure, sorted } from './columns'

function line(name: string, figures: Partial<DepartmentFiguresView>): DepartmentFiguresView {
  return {
    department_id: name,
    department_name: name,
    steps: 0,
    steps_on_time: 0,
    rows_read: 0,
    ...figures,
  } as DepartmentFiguresView
}

test('a share is made of two figures, and absent where there is nothing to divide', () => {
  expect(figure(line('a', { steps: 4, steps_on_time: 3 }), 'on_time')).toBe(0.75)
  expect(figure(line('a', {}), 'on_time')).toBeUndefined()
  expect(figure(line('a', { rows_read: 200, rows_quarantined: 1 }), 'quarantined_share')).toBe(0.005)
})

test('lines are sorted by a figure, those without it last; otherwise they stay as they are', () => {
  const lines = [line('a', { entries: 1 }), line('b', { entries: 9 }), line('c', { entries: 4 })]
  expect(sorted(lines, 'entries').map((one) => one.department_id)).toEqual(['b', 'c', 'a'])
  expect(sorted(lines, 'anything').map((one) => one.department_id)).toEqual(['a', 'b', 'c'])
  const shares = [line('a', {}), line('b', { steps: 2, steps_on_time: 0 })]
  expect(sorted(shares, 'on_time').map((one) => one.department_id)).toEqual(['b', 'a'])
})

test('a figure leads to the rows behind it, where a list shows them', () => {
  expect(behind('rows_given', 'dep-a', '2026-09-01', '2026-09-30')).toEqual({
    path: '/exchange',
    query: { kind: 'delivery', department: 'dep-a', from: '2026-09-01', to: '2026-09-30' },
    hash: '#runs',
  })
  expect(behind('entries', '', '2026-09-01', '2026-09-30')).toEqual({ path: '/catalog', query: {} })
  expect(behind('decision_days', 'dep-a', '2026-09-01', '2026-09-30')).toBeUndefined()
})
