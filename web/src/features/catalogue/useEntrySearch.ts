/** The catalogue search. The URL holds the whole question, so that a link shows the same answer. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { api, read } from '@/api/client'
import { questionOf, type Question } from './question'

export function useEntrySearch() {
  const route = useRoute()
  const router = useRouter()
  const question = computed(() => questionOf(route.query))

  const { data, isPending, isFetching, error, refetch } = useQuery({
    queryKey: ['catalogue', 'search', question],
    queryFn: ({ signal }) => read(api.GET('/api/v1/catalogue/entries', { params: { query: question.value }, signal })),
    placeholderData: keepPreviousData,
  })

  /** Changes parts of the question; a new question starts on its first page. */
  function ask(change: Partial<Record<keyof Question, string | undefined>>): void {
    const query = { ...route.query, page: undefined, ...change }
    const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
    void router.replace({ path: '/catalog', query: Object.fromEntries(kept) })
  }

  return { question, data, isPending, isFetching, error, refetch, ask }
}
