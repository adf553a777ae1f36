/** A table of departments or people: looked at first, then imported. */
import { ref, shallowRef } from 'vue'
import { api, read } from '@/api/client'
import type { ImportedView, ImportPreviewView } from '@/api/types'
import { useAction } from '@/shared/composables/useAction'

export type ImportKind = 'departments' | 'people'

// The schema says bytes; the file goes out as it is.
const upload = (file: File) => ({
  headers: { 'Content-Type': 'application/octet-stream' },
  body: file as unknown as number[],
  bodySerializer: (body: unknown) => body,
})

function look(kind: ImportKind, file: File): Promise<ImportPreviewView> {
  return kind === 'departments'
    ? read(api.POST('/api/v1/departments/import/preview', upload(file)))
    : read(api.POST('/api/v1/people/import/preview', upload(file)))
}

function send(kind: ImportKind, file: File): Promise<ImportedView> {
  return kind === 'departments'
    ? read(api.POST('/api/v1/departments/import', upload(file)))
    : read(api.POST('/api/v1/people/import', upload(file)))
}

export function useImport(kind: ImportKind) {
  const file = shallowRef<File | null>(null)
  const fileName = ref('')
  const preview = shallowRef<ImportPreviewView | null>(null)
  const looking = useAction((chosen: File) => look(kind, chosen))
  const sending = useAction((chosen: File) => send(kind, chosen))

  async function choose(chosen: File): Promise<void> {
    file.value = null
    preview.value = null
    sending.problem.value = null
    fileName.value = chosen.name
    const outcome = await looking.run(chosen)
    if (!outcome.done) return
    preview.value = outcome.result
    if (!outcome.result.faults.length) file.value = chosen
  }

  /** What came of it; nothing while there is no sound file. */
  async function apply(): Promise<ImportedView | null> {
    if (!file.value) return null
    const outcome = await sending.run(file.value)
    return outcome.done ? outcome.result : null
  }

  return { file, fileName, preview, looking, sending, choose, apply }
}
