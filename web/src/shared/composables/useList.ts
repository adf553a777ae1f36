import { useInfiniteQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'

interface Page<Row> {
  items: Row[]
  next_cursor?: string | null
}

/** A list of the server, page after page by its cursor. No list is ever loaded whole. */
export function useList<Row, Reply extends Page<Row>>(
  key: MaybeRefOrGetter<readonly unknown[]>,
  fetchPage: (cursor: string | undefined) => Promise<Reply & Page<Row>>,
) {
  const query = useInfiniteQuery({
    queryKey: computed(() => toValue(key)),
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Reply) => page.next_cursor ?? undefined,
  })

  return {
    rows: computed(() => query.data.value?.pages.flatMap((page) => page.items) ?? []),
    firstPage: computed(() => query.data.value?.pages[0]),
    isPending: query.isPending,
    error: query.error,
    refetch: query.refetch,
    updatedAt: query.dataUpdatedAt,
    hasMore: query.hasNextPage,
    loadMore: query.fetchNextPage,
    isLoadingMore: query.isFetchingNextPage,
  }
}
