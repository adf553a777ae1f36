import { useI18n } from 'vue-i18n'
import type { ColumnView, TermView } from '@/api/types'

/** A row condition in words, with the names of the data items as far as `columns` has them. */
export function useTermText(columns: () => ColumnView[]) {
  const { t } = useI18n()
  return ({ column, op, values }: TermView): string => {
    const name = columns().find((one) => one.code === column)?.name ?? column
    return `${name} ${t(`shared.condition.${op}`)} ${values.join(t('shared.separator'))}`
  }
}
