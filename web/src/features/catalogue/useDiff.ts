import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, read } from '@/api/client'
import { useEntry } from './useEntry'

/** Two versions of an entry and what the server says differs between them. */
export function useDiff(id: MaybeRefOrGetter<string>, from: MaybeRefOrGetter<number>, to: MaybeRefOrGetter<number>) {
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ['catalogue', 'diff', id, from, to],
    queryFn: () =>
      read(
        api.GET('/api/v1/catalogue/entries/{entry_id}/diff', {
          params: { path: { entry_id: toValue(id) }, query: { from: toValue(from), to: toValue(to) } },
        }),
      ),
    enabled: () => toValue(from) > 0 && toValue(to) > 0,
  })
  const older = useEntry(id, () => toValue(from) || undefined)
  const newer = useEntry(id, () => toValue(to) || undefined)
  return {
    diff: data,
    older: older.data,
    newer: newer.data,
    isPending: computed(() => isPending.value || older.isPending.value || newer.isPending.value),
    error: computed(() => error.value ?? older.error.value ?? newer.error.value),
    refetch,
  }
}
