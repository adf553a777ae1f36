import { useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import { api, read } from '@/api/client'

/** A case. */
export function useCase(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['cases', id],
    queryFn: () => read(api.GET('/api/v1/cases/{case_id}', { params: { path: { case_id: toValue(id) } } })),
  })
}

/** Processes of the regulation in force. */
export function useProcesses() {
  return useQuery({ queryKey: ['processes'], queryFn: () => read(api.GET('/api/v1/processes')) })
}
