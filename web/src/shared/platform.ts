/** The installation: its name, and the server's date, which is the only date that counts. */
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { api, read } from '@/api/client'

export const platformQuery = {
  queryKey: ['platform'],
  queryFn: () => read(api.GET('/api/v1/platform')),
  staleTime: 60_000,
}

export function usePlatform() {
  const client = useQueryClient()
  const { data: platform } = useQuery({ ...platformQuery, refetchInterval: 300_000 })

  /** Demo only: moves the installation's clock on. Every date on the page may change with it. */
  async function advanceClock(days: number): Promise<string> {
    const { today } = await read(api.POST('/api/v1/demo/clock', { body: { days } }))
    await client.invalidateQueries()
    return today
  }

  return { platform, advanceClock }
}
