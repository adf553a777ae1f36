/** The figures in the order in which they are read, and how they are compared. */
import type { DepartmentFiguresView, FiguresView } from '@/api/types'

export const GROUPS = {
  collect: ['entries', 'mounted', 'with_data', 'in_cycle'],
  share: ['requests_received', 'requests_filed', 'granted', 'refused', 'decision_days', 'limit_days', 'on_time'],
  use: ['grants_given', 'grants_held', 'grants_unused', 'rows_given', 'rows_received'],
  quality: ['rows_read', 'rows_quarantined', 'quarantined_share'],
} as const

export type Group = keyof typeof GROUPS
export type FigureName = (typeof GROUPS)[Group][number]

/** A figure of a line; the shares are made of two others. Absent where there is nothing to divide. */
export function figure(line: FiguresView, name: FigureName): number | undefined {
  switch (name) {
    case 'on_time':
      return line.steps ? line.steps_on_time / line.steps : undefined
    case 'quarantined_share':
      return line.rows_read ? line.rows_quarantined / line.rows_read : undefined
    default:
      return line[name] ?? undefined
  }
}

/** Lines by a figure, the largest first, those without it last; by name if no figure is asked for. */
export function sorted(lines: readonly DepartmentFiguresView[], by: string): DepartmentFiguresView[] {
  const name = Object.values(GROUPS)
    .flat()
    .find((known) => known === by)
  if (!name) return [...lines]
  return [...lines].sort((a, b) => (figure(b, name) ?? -1) - (figure(a, name) ?? -1))
}

/** The rows behind a figure, where a list shows them. */
export function behind(name: FigureName, departmentId: string, from: string, to: string) {
  const runs = (query: Record<string, string>) => ({
    path: '/exchange',
    query: { ...query, ...(departmentId && { department: departmentId }), from, to },
    hash: '#runs',
  })
  const entries = (query: Record<string, string>) => ({
    path: '/catalog',
    query: { ...query, ...(departmentId && { department_id: departmentId }) },
  })
  switch (name) {
    case 'entries':
      return entries({})
    case 'mounted':
      return entries({ mounted: 'true' })
    case 'rows_given':
    case 'rows_received':
      return runs({ kind: 'delivery' })
    case 'rows_read':
      return runs({ kind: 'collection' })
    case 'rows_quarantined':
      return runs({ faults: 'yes' })
    default:
      return undefined
  }
}
