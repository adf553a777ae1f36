/** What a person reads of `openapi.json`: operations by subject, with their fields written out. */

interface Schema {
  $ref?: string
  type?: string | string[]
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
  allOf?: Schema[]
  oneOf?: Schema[]
  anyOf?: Schema[]
  additionalProperties?: boolean | Schema
}

interface Content {
  description?: string
  content?: Record<string, { schema?: Schema }>
}

interface RawOperation {
  tags?: string[]
  summary?: string
  description?: string
  operationId?: string
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[]
  requestBody?: Content
  responses?: Record<string, Content>
}

export interface ApiDocument {
  info: { title: string; version: string; description?: string }
  paths: Record<string, Record<string, RawOperation>>
  components?: { schemas?: Record<string, Schema> }
}

/** One field of a body or an answer. */
export interface Field {
  /** Dotted below the first level, with `[]` behind lists. */
  name: string
  type: string
  required: boolean
  description: string
}

export interface Operation {
  id: string
  method: string
  path: string
  tag: string
  summary: string
  description: string
  parameters: (Field & { place: string })[]
  body: { type: string; fields: Field[] } | null
  answers: { status: string; description: string; type: string; fields: Field[] }[]
}

/** Deeper fields are described at the operation that gives them; without an end, shapes that hold themselves go on for ever. */
const DEPTH_MAX = 3
const METHODS = ['get', 'post', 'put', 'patch', 'delete']

export function operationsOf(document: ApiDocument): Operation[] {
  const reader = new Reader(document.components?.schemas ?? {})
  return Object.entries(document.paths).flatMap(([path, byMethod]) =>
    METHODS.filter((method) => byMethod[method]).map((method) => operation(reader, path, method, byMethod[method]!)),
  )
}

function operation(reader: Reader, path: string, method: string, raw: RawOperation): Operation {
  const body = contentOf(raw.requestBody)
  return {
    id: raw.operationId ?? `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    tag: raw.tags?.[0] ?? '',
    summary: raw.summary ?? '',
    description: raw.description ?? '',
    parameters: (raw.parameters ?? []).map((one) => ({
      name: one.name,
      place: one.in,
      type: reader.typeOf(one.schema),
      required: one.required ?? false,
      description: one.description ?? '',
    })),
    body: body && { type: body.type, fields: reader.fieldsOf(body.schema) },
    answers: Object.entries(raw.responses ?? {}).map(([status, answer]) => {
      const content = contentOf(answer)
      return {
        status,
        description: answer.description ?? '',
        type: content?.type ?? '',
        // All refusals have one shape, which is told once.
        fields: content && status.startsWith('2') ? reader.fieldsOf(content.schema) : [],
      }
    }),
  }
}

function contentOf(content: Content | undefined): { type: string; schema: Schema | undefined } | null {
  const first = Object.entries(content?.content ?? {})[0]
  return first ? { type: first[0], schema: first[1].schema } : null
}

class Reader {
  constructor(private readonly schemas: Record<string, Schema>) {}

  private resolve(schema: Schema | undefined): Schema {
    const name = schema?.$ref?.split('/').pop()
    return (name ? this.schemas[name] : schema) ?? {}
  }

  /** The alternatives of a shape without the one that only says "or nothing". */
  private parts(schema: Schema): Schema[] {
    const alternatives = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].filter((one) => one.type !== 'null')
    return [...(schema.allOf ?? []), ...alternatives]
  }

  typeOf(given: Schema | undefined): string {
    const schema = this.resolve(given)
    if (schema.enum) return schema.enum.map(String).join(' | ')
    const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type
    if (type === 'array') return `${this.typeOf(schema.items)}[]`
    if (type) return type
    const part = this.parts(schema)[0]
    return part ? this.typeOf(part) : 'object'
  }

  fieldsOf(given: Schema | undefined, before = '', depth = 1): Field[] {
    const schema = this.resolve(given)
    if (schema.items) return this.fieldsOf(schema.items, `${before}[]`, depth)
    const inherited = this.parts(schema).flatMap((part) => this.fieldsOf(part, before, depth))
    const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
      const name = before ? `${before}.${key}` : key
      const field = {
        name,
        type: this.typeOf(value),
        required: schema.required?.includes(key) ?? false,
        description: value.description ?? this.resolve(value).description ?? '',
      }
      return depth < DEPTH_MAX ? [field, ...this.fieldsOf(value, name, depth + 1)] : [field]
    })
    return [...inherited, ...own]
  }
}

/** Whether every word of a question is in the operation's address, name or description. */
export function matches(operation: Operation, question: string): boolean {
  const text = [operation.method, operation.path, operation.id, operation.summary, operation.description]
    .join(' ')
    .toLowerCase()
  return question
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

/** A call to start from, for a shell; `origin` is the platform's own address. */
export function sampleOf(operation: Operation, origin: string): string {
  const query = operation.parameters
    .filter((one) => one.place === 'query' && one.required)
    .map((one) => `${one.name}=…`)
    .join('&')
  const lines = [
    `curl -X ${operation.method} '${origin}${operation.path}${query && `?${query}`}'`,
    `-H 'Cookie: tongqu_session=…'`,
  ]
  if (operation.method !== 'GET') lines.push(`-H 'X-Requested-With: …'`, `-H 'Idempotency-Key: …'`)
  if (operation.body) lines.push(`-H 'Content-Type: ${operation.body.type}'`)
  if (operation.body?.type === 'application/json') {
    const fields = operation.body.fields.filter((field) => field.required && !/[.[]/.test(field.name))
    const example = Object.fromEntries(fields.map((field) => [field.name, valueOf(field.type)]))
    lines.push(`-d '${JSON.stringify(example)}'`)
  } else if (operation.body) {
    lines.push('--data-binary @…')
  }
  return lines.join(' \\\n  ')
}

function valueOf(type: string): unknown {
  if (type.endsWith('[]')) return []
  if (type === 'integer' || type === 'number') return 0
  if (type === 'boolean') return false
  return type === 'object' ? {} : '…'
}
