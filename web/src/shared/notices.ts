/** Notices to the own department, and which of them this browser has not shown yet. */
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { api, read } from '@/api/client'
import { noticesSeenAt } from '@/shared/preferences'
import { useSession } from '@/shared/session'

const SIZE = 50
const REFRESH_MS = 60_000

export function useNotices() {
  const { me } = useSession()
  const query = useQuery({
    queryKey: ['notices'],
    queryFn: () => read(api.GET('/api/v1/notices', { params: { query: { size: SIZE } } })),
    enabled: () => me.value !== null,
    refetchInterval: REFRESH_MS,
  })
  const notices = computed(() => query.data.value?.items ?? [])
  const unread = computed(() => notices.value.filter((notice) => notice.at > noticesSeenAt.value).length)

  return { notices, unread, isPending: query.isPending, error: query.error, refetch: query.refetch }
}
