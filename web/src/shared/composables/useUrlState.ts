import { computed } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'

/** A value that lives in the URL, so that Back works and a pasted link shows the same view. */
export function useUrlState<Value extends string>(name: string, fallback: Value) {
  const route = useRoute()
  const router = useRouter()
  return computed<Value>({
    get: () => {
      const value = route.query[name]
      return typeof value === 'string' && value ? (value as Value) : fallback
    },
    set: (value) => void router.replace({ query: withValue(route.query, name, value === fallback ? '' : value) }),
  })
}

/** `query` with one value set, or taken out when it is empty. */
export function withValue(query: LocationQueryRaw, name: string, value: string): LocationQueryRaw {
  const rest = Object.fromEntries(Object.entries(query).filter(([key]) => key !== name))
  return value ? { ...rest, [name]: value } : rest
}
