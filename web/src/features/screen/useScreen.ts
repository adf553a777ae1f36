/** What the big screen shows, in one question that is asked again and again under one key: nothing piles up. */
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { api, read } from '@/api/client'
import { useLive } from '@/shared/live/useLive'

export const REFRESH_MS = 10_000
const FLOW_DAYS = 30
const RANKS = 6

async function ask() {
  const [home, exchange, stats] = await Promise.all([
    read(api.GET('/api/v1/home')),
    read(api.GET('/api/v1/exchange/overview', { params: { query: { days: FLOW_DAYS } } })),
    read(api.GET('/api/v1/statistics/departments')),
  ])
  return { home, exchange, stats }
}

export function useScreen() {
  const { data, isPending, error, refetch, dataUpdatedAt } = useQuery({
    queryKey: ['screen'],
    queryFn: ask,
    retry: false,
    // The last frame stays however long the server is away.
    gcTime: Infinity,
  })
  const { freshAt } = useLive(['runs', 'requests', 'cases', 'catalogue'], refetch, {
    updatedAt: dataUpdatedAt,
    pollMs: REFRESH_MS,
    always: true,
  })

  const ranked = (figure: 'given_rows' | 'received_rows') =>
    computed(() =>
      (data.value?.exchange.flows ?? [])
        .filter((flow) => flow[figure] > 0)
        .sort((a, b) => b[figure] - a[figure])
        .slice(0, RANKS)
        .map((flow) => ({ key: flow.department_id, name: flow.short_name || flow.name, value: flow[figure] })),
    )

  return {
    data,
    isPending,
    error,
    refetch,
    freshAt,
    givers: ranked('given_rows'),
    takers: ranked('received_rows'),
    describers: computed(() =>
      (data.value?.home.departments_ranking ?? [])
        .slice(0, RANKS)
        .map((rank) => ({ key: rank.department_id, name: rank.department_name, value: rank.entries })),
    ),
  }
}
