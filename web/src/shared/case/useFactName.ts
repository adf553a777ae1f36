import { useNames } from '@/shared/composables/useNames'

/** What a fact is called. Those that the engine settles have no name in any regulation, and come with their code. */
export function useFactName() {
  const nameOf = useNames()
  return ({ id, name }: { id: string; name: string }): string => (name === id ? nameOf('shared.settled', id) : name)
}
