import { useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import { api, read } from '@/api/client'

/** Regulations that are loaded, the one in force for new cases first. */
export function usePacks() {
  return useQuery({ queryKey: ['law', 'packs'], queryFn: () => read(api.GET('/api/v1/law/packs')) })
}

/** A regulation in full. */
export function usePack(id: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: ['law', 'pack', id],
    queryFn: () => read(api.GET('/api/v1/law/packs/{pack_id}', { params: { path: { pack_id: toValue(id) ?? '' } } })),
    enabled: () => Boolean(toValue(id)),
  })
}
