import { useI18n } from 'vue-i18n'
import type { FiguresView } from '@/api/types'
import { bigCount, count, percent } from '@/shared/format/format'
import { figure, type FigureName } from './columns'

const SHARES: readonly FigureName[] = ['on_time', 'quarantined_share']
const DAYS: readonly FigureName[] = ['decision_days', 'limit_days']

/** A figure as it is written in a table: shares in per cent, days with one decimal, large counts in 万 and 亿. */
export function useFigureText() {
  const { t } = useI18n()
  return (line: FiguresView, name: FigureName): { text: string; exact?: string } => {
    const value = figure(line, name)
    if (value === undefined) return { text: '—' }
    if (SHARES.includes(name)) return { text: `${percent(value)}%` }
    if (DAYS.includes(name)) return { text: value.toFixed(1) }
    const { figure: text, scale } = bigCount(value)
    return scale ? { text: text + t(`shared.scale.${scale}`), exact: count(value) } : { text }
  }
}
