import { computed, reactive, shallowRef, watch } from 'vue'
import { api, read } from '@/api/client'
import type { DueView, PackLineView } from '@/api/types'
import { useAction } from '@/shared/composables/useAction'
import { useUrlState } from '@/shared/composables/useUrlState'
import { instantOf } from '@/shared/format/format'

/** Reckons the dates of a process without a case. Regulation and process live in the URL. */
export function useDue(packs: () => PackLineView[]) {
  const askedPack = useUrlState<string>('pack', '')
  const askedProcess = useUrlState<string>('process', '')
  const facts = reactive<Record<string, string>>({})
  const events = reactive<Record<string, string>>({})
  const result = shallowRef<DueView | null>(null)

  const pack = computed(
    () => packs().find((one) => one.id === askedPack.value) ?? packs().find((one) => one.is_default) ?? packs()[0],
  )
  const process = computed(
    () => pack.value?.processes.find((one) => one.id === askedProcess.value) ?? pack.value?.processes[0],
  )
  const packId = computed({ get: () => pack.value?.id ?? '', set: (id) => (askedPack.value = id) })
  const processId = computed({ get: () => process.value?.id ?? '', set: (id) => (askedProcess.value = id) })
  watch([packId, processId], () => (result.value = null))

  const { busy, problem, run } = useAction(() => {
    const asked = process.value!
    const known = asked.facts.map((fact) => [fact.id, facts[fact.id] ?? ''] as const).filter(([, value]) => value)
    const happened = asked.events
      .map((event) => [event.code, instantOf(events[event.code] ?? '')] as const)
      .filter((pair): pair is [string, string] => pair[1] !== null)
    return read(
      api.POST('/api/v1/law/due', {
        body: {
          pack_id: packId.value,
          process_id: asked.id,
          facts: Object.fromEntries(known),
          events: Object.fromEntries(happened),
        },
      }),
    )
  })

  async function reckon(): Promise<void> {
    const outcome = await run()
    result.value = outcome.done ? outcome.result : null
  }

  return { pack, process, packId, processId, facts, events, result, busy, problem, reckon }
}
