import { reactive, ref } from 'vue'
import { api, read } from '@/api/client'
import type { OpenBody, ProcessView, SubjectKind } from '@/api/types'
import { useAction } from '@/shared/composables/useAction'
import { instantOf } from '@/shared/format/format'
import type { BeginContext } from './beginContext'
import { answered, emptyDraft, stepBody } from './stepDraft'

export type About = 'given' | 'entry' | 'department' | 'matter'

/** The form that begins a case of one process. */
export function useBegin(process: ProcessView, context: BeginContext) {
  const about = ref<About>(context.subject ? 'given' : 'entry')
  const entry = ref<{ id: string; name: string } | null>(null)
  const departmentId = ref('')
  const given = reactive({ title: '', beganAt: '', facts: {} as Record<string, string> })
  const step = ref(emptyDraft())
  const hasForm = Boolean(process.form)

  function subject(): { kind: SubjectKind; id: string } {
    if (about.value === 'given' && context.subject) return { kind: context.subject.kind, id: context.subject.id }
    if (about.value === 'entry') return { kind: 'entry', id: entry.value?.id ?? '' }
    if (about.value === 'department') return { kind: 'department', id: departmentId.value }
    return { kind: 'matter', id: '' }
  }

  function body(): OpenBody {
    return {
      process_id: process.id,
      subject: subject(),
      title: given.title.trim() || null,
      // A matter tells nothing of whose duty it is; the reader may.
      provider_department_id: about.value === 'matter' ? departmentId.value || null : null,
      facts: answered(given.facts),
      began_at: process.starts_on ? instantOf(given.beganAt) : null,
      previous_case_id: context.previousCaseId ?? null,
      step: stepBody(process.starts_on ? emptyDraft() : step.value, hasForm),
    }
  }

  const { busy, problem, run } = useAction(() => read(api.POST('/api/v1/cases', { body: body() })))

  return { about, entry, departmentId, given, step, busy, problem, begin: run }
}
