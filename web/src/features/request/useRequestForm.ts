import { reactive, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { api, read } from '@/api/client'
import type { EntryView } from '@/api/types'
import { useAction } from '@/shared/composables/useAction'
import { bodyOf, emptyDraft, keepDraft, recallDraft, type RequestDraft } from './requestDraft'

/** The request form of one entry: pre-filled by the server, then as the officer left it. */
export function useRequestForm(entry: EntryView) {
  const route = useRoute()
  const router = useRouter()
  const draft = reactive(startingDraft(entry, route.query['columns']))
  watch(draft, () => keepDraft(entry.entry_id, draft))

  const { busy, problem, run } = useAction(() =>
    read(api.POST('/api/v1/requests', { body: bodyOf(draft, entry.entry_id, entry.version_no) })),
  )

  /** Sends the request and opens its page. Returns its number, or nothing when it was refused. */
  async function submit(): Promise<string | undefined> {
    const outcome = await run()
    if (!outcome.done) return undefined
    keepDraft(entry.entry_id, null)
    await router.replace(`/apply/request/${outcome.result.request_id}`)
    return outcome.result.number
  }

  return { draft, busy, problem, submit }
}

function startingDraft(entry: EntryView, picked: unknown): RequestDraft {
  const prefill = entry.request_prefill
  const draft = recallDraft(entry.entry_id) ?? {
    ...emptyDraft(),
    purpose: prefill?.purpose ?? '',
    duty: prefill?.duty ?? '',
    consumerSystem: prefill?.consumer_system ?? '',
  }
  const known = new Set(entry.items.map((item) => item.code))
  if (typeof picked === 'string') draft.columns = picked.split(',')
  draft.columns = draft.columns.filter((code) => known.has(code))
  if (!entry.modes.some((mode) => mode.code === draft.mode)) draft.mode = entry.modes[0]?.code ?? ''
  return draft
}
