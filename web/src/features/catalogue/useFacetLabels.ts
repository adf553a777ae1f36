import { useI18n } from 'vue-i18n'
import type { FacetValueView } from '@/api/types'
import { useNames } from '@/shared/composables/useNames'

/** What a facet's value is called: the server's label, or ours where its label is a bare code. */
export function useFacetLabels() {
  const nameOf = useNames()
  const { t } = useI18n()
  return (field: string, value: FacetValueView): string => {
    if (field === 'mounted') return nameOf('catalogue.mounted', value.value)
    if (field === 'base_library') return nameOf('shared.base_library', value.value)
    if (field === 'grade') return t('catalogue.grade', { grade: value.value })
    return value.label
  }
}
