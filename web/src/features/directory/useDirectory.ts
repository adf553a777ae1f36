import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { api, read } from '@/api/client'

export function useDepartments() {
  return useQuery({ queryKey: ['departments'], queryFn: () => read(api.GET('/api/v1/departments')) })
}

export function usePeople() {
  return useQuery({ queryKey: ['people'], queryFn: () => read(api.GET('/api/v1/people')) })
}

export function useStores() {
  return useQuery({ queryKey: ['stores'], queryFn: () => read(api.GET('/api/v1/stores')) })
}

/** Departments as choices of a form. */
export function useDepartmentOptions() {
  const { data } = useDepartments()
  return computed(() => data.value?.items.map((department) => ({ value: department.id, title: department.name })) ?? [])
}

/** The posts a person may hold, by code. */
export const POSTS = [
  'data_officer',
  'head',
  'operator',
  'authority',
  'county_authority',
  'developer',
  'security_admin',
  'system_admin',
  'auditor',
  'leader',
] as const
