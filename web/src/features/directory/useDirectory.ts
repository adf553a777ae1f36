import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, read } from '@/api/client'
import { useNames } from '@/shared/composables/useNames'

export function useDepartments() {
  return useQuery({ queryKey: ['departments'], queryFn: () => read(api.GET('/api/v1/departments')) })
}

/** A department with contacts, people and history. */
export function useDepartment(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['departments', 'one', computed(() => toValue(id))],
    queryFn: () =>
      read(api.GET('/api/v1/departments/{department_id}', { params: { path: { department_id: toValue(id) } } })),
    enabled: () => toValue(id) !== '',
  })
}

/** Departments that haven't named everybody they have to. */
export function useGaps() {
  return useQuery({ queryKey: ['departments', 'gaps'], queryFn: () => read(api.GET('/api/v1/departments/gaps')) })
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

/** Codes of a family of texts as choices of a form. */
export function useCodeOptions(family: string, codes: readonly string[]) {
  const nameOf = useNames()
  return computed(() => codes.map((code) => ({ value: code, title: nameOf(family, code) })))
}

/** Posts in words. */
export function usePostNames() {
  const nameOf = useNames()
  const { t } = useI18n()
  return (posts: readonly string[]): string =>
    posts.map((post) => nameOf('shared.post', post)).join(t('shared.separator'))
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
  'supervisor',
] as const

/** Where a department stands, from the top. */
export const LEVELS = ['province', 'city', 'county'] as const

export const KINDS = ['organ', 'public_institution', 'social_organisation', 'utility'] as const

/** What somebody answers for in a department. */
export const DUTIES = ['first_responsible', 'lead_office', 'leader_in_charge', 'data_officer', 'technical'] as const
