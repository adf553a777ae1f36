import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** Follows `source` once it has been still for `waitMs`. */
export function useDebounced<T>(source: Ref<T>, waitMs: number): Readonly<Ref<T>> {
  const still = ref(source.value) as Ref<T>
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(source, (value) => {
    clearTimeout(timer)
    timer = setTimeout(() => (still.value = value), waitMs)
  })
  onScopeDispose(() => clearTimeout(timer))
  return still
}
