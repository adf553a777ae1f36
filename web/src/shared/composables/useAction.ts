import { useQueryClient } from '@tanstack/vue-query'
import { ref, shallowRef } from 'vue'
import { asProblem, type ApiProblem } from '@/api/errors'

/**
 * A write, from the press of a button to its end.
 *
 * While it runs, `busy` is true and further presses do nothing. A refusal is kept in `problem`. After a
 * success everything shown is asked for anew, because one act may move cases, desks and counters alike.
 */
export function useAction<Args extends unknown[], Result>(act: (...args: Args) => Promise<Result>) {
  const client = useQueryClient()
  const busy = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)

  async function run(...args: Args): Promise<{ done: true; result: Result } | { done: false }> {
    if (busy.value) return { done: false }
    busy.value = true
    problem.value = null
    try {
      const result = await act(...args)
      void client.invalidateQueries()
      return { done: true, result }
    } catch (thrown) {
      problem.value = asProblem(thrown)
      return { done: false }
    } finally {
      busy.value = false
    }
  }

  return { busy, problem, run }
}
