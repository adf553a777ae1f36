import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { api, read } from '@/api/client'
import { useList } from '@/shared/composables/useList'

const page = (cursor: string | undefined) => (cursor ? { params: { query: { cursor } } } : {})

export function useDepartments() {
  return useList(['departments'], (cursor) => read(api.GET('/api/v1/departments', page(cursor))))
}

export function usePeople() {
  return useList(['people'], (cursor) => read(api.GET('/api/v1/people', page(cursor))))
}

export function useStores() {
  return useList(['stores', 'list'], (cursor) => read(api.GET('/api/v1/stores', page(cursor))))
}

/** Departments as choices of a form. */
export function useDepartmentOptions() {
  const { rows } = useDepartments()
  return computed(() => rows.value.map((department) => ({ value: department.id, title: department.name })))
}

export function usePosts() {
  const { data } = useQuery({ queryKey: ['posts'], queryFn: () => read(api.GET('/api/v1/posts')) })
  return computed(() => data.value?.items ?? [])
}
