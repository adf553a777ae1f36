import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import { api, read } from '@/api/client'

/** An entry in the version asked for, or in the one that readers see. */
export function useEntry(id: MaybeRefOrGetter<string>, version: MaybeRefOrGetter<number | undefined>) {
  return useQuery({
    queryKey: ['catalogue', 'entry', id, version],
    queryFn: () => {
      const no = toValue(version)
      return read(
        api.GET('/api/v1/catalogue/entries/{entry_id}', {
          params: { path: { entry_id: toValue(id) }, query: no ? { version: no } : {} },
        }),
      )
    },
    placeholderData: keepPreviousData,
  })
}

/** What requesting a published entry would mean: dates and present users. Nothing for unpublished ones. */
export function usePreview(id: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: ['requests', 'preview', id],
    queryFn: () => read(api.GET('/api/v1/requests/preview', { params: { query: { entry_id: toValue(id) ?? '' } } })),
    enabled: () => toValue(id) !== undefined,
  })
}
