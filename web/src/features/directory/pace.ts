import { useI18n } from 'vue-i18n'
import type { StoreView } from '@/api/types'
import { count } from '@/shared/format/format'

export const KB = 1024

/** What was typed as a limit in units; nothing is no limit, and what is no number is one that the server refuses. */
export function limitOf(typed: string, unit = 1): number | null {
  const text = typed.trim()
  if (text === '') return null
  if (!/^\d+$/.test(text)) return -1
  return Math.min(Number(text) * unit, Number.MAX_SAFE_INTEGER)
}

/** The limits of a store in words. */
export function usePaceText() {
  const { t } = useI18n()
  return (store: Pick<StoreView, 'rows_per_s' | 'bytes_per_s'>): string => {
    const limits = [
      typeof store.rows_per_s === 'number' && t('directory.store.rows_a_second', { rows: count(store.rows_per_s) }),
      typeof store.bytes_per_s === 'number' &&
        t('directory.store.kb_a_second', { kb: count(Math.round(store.bytes_per_s / KB)) }),
    ].filter(Boolean)
    return limits.length ? limits.join(' · ') : t('directory.store.unlimited')
  }
}
