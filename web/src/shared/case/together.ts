/** What became of requests decided together. It outlives the panel they were decided in, which closes with them. */
import { shallowRef } from 'vue'
import type { DecidedLineView } from '@/api/types'

const lines = shallowRef<DecidedLineView[]>([])

export function useTogether() {
  return {
    lines,
    show: (decided: DecidedLineView[]) => (lines.value = decided),
    close: () => (lines.value = []),
  }
}
