import { QueryClient } from '@tanstack/vue-query'
import { ApiProblem } from '@/api/errors'

/** Server state of the whole portal. Only what may pass by itself is asked again, and once. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 1 && error instanceof ApiProblem && error.mayPass,
    },
  },
})
