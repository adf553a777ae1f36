import { useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import { api, read } from '@/api/client'

const REFRESH_MS = 30_000

/** A case; while it is open it is asked for anew, because colleagues act too. */
export function useCase(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['cases', id],
    queryFn: () => read(api.GET('/api/v1/cases/{case_id}', { params: { path: { case_id: toValue(id) } } })),
    refetchInterval: (query) => (query.state.data?.state === 'open' ? REFRESH_MS : false),
  })
}

/** Processes of the regulation in force. */
export function useProcesses() {
  return useQuery({ queryKey: ['processes'], queryFn: () => read(api.GET('/api/v1/processes')) })
}
