/** All that the portal asks of the server goes through the published API, and through here. */
import createClient, { type Middleware } from 'openapi-fetch'
import { fetchOrTake } from './early'
import { ApiProblem } from './errors'
import type { paths } from './schema.gen'

type Listener = () => void
const expiredListeners = new Set<Listener>()

/** Calls `listener` whenever the server says that the session has ended. Returns how to stop listening. */
export function onSessionExpired(listener: Listener): () => void {
  expiredListeners.add(listener)
  return () => expiredListeners.delete(listener)
}

const border: Middleware = {
  onRequest({ request }) {
    // A custom header can't be sent by a foreign page's form: the server's guard against forged writes.
    request.headers.set('X-Requested-With', 'tongqu')
    request.headers.set('Accept-Language', document.documentElement.lang)
    return request
  },
  async onResponse({ response, schemaPath }) {
    if (response.ok) return undefined
    if (response.status === 401 && schemaPath !== '/api/v1/session') expiredListeners.forEach((tell) => tell())
    throw await ApiProblem.fromResponse(response)
  },
  onError({ error }) {
    return error instanceof ApiProblem ? error : ApiProblem.unreachable()
  },
}

export const api = createClient<paths>({ baseUrl: '/', fetch: fetchOrTake })
api.use(border)

/** The body of a reply that has one. Refusals are thrown as {@link ApiProblem} before it comes to this. */
export async function read<T>(reply: Promise<{ data?: T }>): Promise<T> {
  const { data } = await reply
  if (data === undefined) throw ApiProblem.unreadable()
  return data
}

/** A document beside the operations: the description of the API itself. */
export async function readDocument<T>(address: string): Promise<T> {
  const reply = await fetch(address).catch(() => {
    throw ApiProblem.unreachable()
  })
  if (!reply.ok) throw await ApiProblem.fromResponse(reply)
  return (await reply.json()) as T
}

/** The stream of changes of some topics. It carries no data; whoever hears of a change reads again. */
export function followChanges(topics: readonly string[]): EventSource {
  return new EventSource(`/api/v1/live?topics=${topics.join(',')}`)
}

/** What of a question is given, as it stands in an address. */
function asked(question: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(question).filter((pair): pair is [string, string] => Boolean(pair[1]))
  return new URLSearchParams(given).toString()
}

/** Addresses of files that the browser fetches by itself. */
export const fileUrls = {
  template: '/api/v1/catalogue/template',
  importWorkbook: (importId: string) => `/api/v1/catalogue/imports/${encodeURIComponent(importId)}/workbook`,
  departmentsTemplate: '/api/v1/departments/template.xlsx',
  peopleTemplate: '/api/v1/people/template.xlsx',
  demandList: (listId: string) => `/api/v1/demand-lists/${encodeURIComponent(listId)}/workbook`,
  responsibilityList: (departmentId: string) =>
    `/api/v1/responsibility-list/workbook${departmentId ? `?department_id=${encodeURIComponent(departmentId)}` : ''}`,
  grants: (question: Readonly<{ side: string; state?: string; q?: string; entry_id?: string }>) =>
    `/api/v1/grants/workbook?${asked(question)}`,
  quarantine: (runId: string, lang: 'zh' | 'en') =>
    `/api/v1/runs/${encodeURIComponent(runId)}/quarantine/workbook?lang=${lang}`,
  requests: (question: Readonly<{ state?: string }>) => `/api/v1/requests/list.pdf?${asked(question)}`,
  requestForm: (requestId: string) => `/api/v1/requests/${encodeURIComponent(requestId)}/form.pdf`,
  statistics: (period: { from?: string; to?: string }) =>
    `/api/v1/statistics/departments/workbook?${new URLSearchParams(period).toString()}`,
  attachment: (attachmentId: string) => `/api/v1/attachments/${encodeURIComponent(attachmentId)}`,
}

export const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
