import { useI18n } from 'vue-i18n'
import type { RunLineView } from '@/api/types'

/** Between whom a run moves rows: a collection ends in the pool, a delivery begins there. */
export function useRunEnds() {
  const { t } = useI18n()
  return (run: RunLineView): { from: string; to: string } =>
    run.kind === 'collection'
      ? { from: run.provider_name, to: t('exchange.pool') }
      : { from: t('exchange.pool'), to: run.requester_name ?? '' }
}
