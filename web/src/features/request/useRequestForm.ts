import { reactive, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { api, read } from '@/api/client'
import type { EntryView, PreviewView } from '@/api/types'
import { useAction } from '@/shared/composables/useAction'
import { savePdf } from './savePdf'
import { bodyOf, draftOf, keepDraft, recallDraft } from './requestDraft'

/** The request form of one entry: filled in by the server, then as the officer left it. */
export function useRequestForm(entry: EntryView, preview: PreviewView, paperOf = '') {
  const route = useRoute()
  const router = useRouter()
  const picked = route.query['columns']
  const fresh = draftOf(entry, preview, typeof picked === 'string' ? picked.split(',') : [])
  // Whoever asks for a certain request again wants its values, not what was left lying.
  const kept = route.query['from'] || paperOf ? null : recallDraft(entry.entry_id)
  const draft = reactive(kept ? { ...fresh, ...kept, ...(picked && { columns: fresh.columns }) } : fresh)
  if (!paperOf) watch(draft, () => keepDraft(entry.entry_id, draft))

  const { busy, problem, run } = useAction(() =>
    read(api.POST('/api/v1/requests', { body: bodyOf(draft, entry.entry_id, entry.version_no, paperOf) })),
  )

  /** Sends the request and opens its page. Returns its number, or nothing when it was refused. */
  async function submit(): Promise<string | undefined> {
    const outcome = await run()
    if (!outcome.done) return undefined
    keepDraft(entry.entry_id, null)
    await router.replace(`/apply/request/${outcome.result.request_id}`)
    return outcome.result.number
  }

  const printing = useAction(() =>
    read(
      api.POST('/api/v1/requests/form.pdf', {
        body: bodyOf(draft, entry.entry_id, entry.version_no),
        parseAs: 'blob',
      }),
    ),
  )

  /** Has the server make the form of what stands here, to be stamped. */
  async function print(): Promise<void> {
    const outcome = await printing.run()
    if (outcome.done) savePdf(outcome.result as unknown as Blob, `${entry.name}.pdf`)
  }

  return { draft, busy, problem, submit, print, printing }
}
