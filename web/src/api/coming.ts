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
}
