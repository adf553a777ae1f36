/** Operations that are agreed upon and that `openapi.json` doesn't describe yet. */

export interface AttachmentView {
  attachment_id: string
  kind: string
  kind_name: string
  /** File name, for people. */
  name: string
  content_type: string
  bytes: number
}

export interface LawFactView {
  id: string
  name: string
  values: string[]
}

export interface LawProcessView {
  id: string
  name: string
  facts: LawFactView[]
  events: { code: string; name: string }[]
}

export interface LawPackView {
  id: string
  title: string
  number: string
  issuer: string
  in_force: boolean
  first_day?: string | null
  last_day?: string | null
  successor?: string | null
  processes: LawProcessView[]
}

export interface DueBody {
  pack_id?: string
  process_id: string
  facts: Record<string, string>
  events: Record<string, string>
}

export interface DueStepView {
  id: string
  name: string
  actor: string
  actor_name: string
  due_on?: string | null
  working_days?: number | null
  word?: string | null
  waits_for?: string | null
  clause: { id: string; place: string; gist: string }
}

interface Answer<Body> {
  200: { headers: Record<string, unknown>; content: { 'application/json': Body } }
}

export interface ComingPaths {
  '/api/v1/attachments': {
    post: {
      parameters: { query: { kind: string; name?: string } }
      requestBody: { content: { 'application/octet-stream': number[] } }
      responses: Answer<AttachmentView>
    }
  }
  '/api/v1/law/packs': {
    get: { parameters: { query?: never }; responses: Answer<{ items: LawPackView[] }> }
  }
  '/api/v1/law/due': {
    post: {
      parameters: { query?: never }
      requestBody: { content: { 'application/json': DueBody } }
      responses: Answer<{ steps: DueStepView[] }>
    }
  }
}
