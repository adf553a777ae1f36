import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { api, read } from '@/api/client'

/** Departments as choices of a form. */
export function useDepartmentChoice() {
  const { data } = useQuery({
    queryKey: ['departments'],
    queryFn: () => read(api.GET('/api/v1/departments')),
  })
  return computed(() => data.value?.items.map((department) => ({ value: department.id, title: department.name })) ?? [])
}
