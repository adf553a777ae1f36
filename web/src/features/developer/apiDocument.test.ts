import { expect, test } from 'vitest'
import { matches, operationsOf, sampleOf, type ApiDocument } from './apiDocument'

const document: ApiDocument = {
  info: { title: 'T', version: '1' },
  paths: {
    '/api/v1/things/{id}': {
      put: {
        tags: ['thing'],
        summary: 'Change a thing',
        operationId: 'change_thing',
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'on', in: 'query', required: true, schema: { type: 'string' } },
        ],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Body' } } } },
        responses: {
          '200': { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
          '409': { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
        },
      },
    },
  },
  components: {
    schemas: {
      Body: {
        type: 'object',
        required: ['name', 'sizes'],
        properties: {
          name: { type: 'string' },
          sizes: { type: 'array', items: { type: 'integer' } },
          note: { type: ['string', 'null'] },
        },
      },
      Thing: {
        allOf: [
          { $ref: '#/components/schemas/Base' },
          { type: 'object', properties: { parts: { type: 'array', items: { $ref: '#/components/schemas/Thing' } } } },
        ],
      },
      Base: { type: 'object', required: ['id'], properties: { id: { type: 'string', description: 'Its id.' } } },
    },
  },
}
const [one] = operationsOf(document)

test('fields of a body and of a good answer are written out, refusals are not', () => {
  expect(one?.body?.fields.map((field) => [field.name, field.type, field.required])).toEqual([
    ['name', 'string', true],
    ['sizes', 'integer[]', true],
    ['note', 'string', false],
  ])
  expect(one?.answers.map((answer) => [answer.status, answer.fields.length > 0])).toEqual([
    ['200', true],
    ['409', false],
  ])
})

test('a shape that holds itself comes to an end', () => {
  const names = one?.answers[0]?.fields.map((field) => field.name)
  expect(names).toEqual(['id', 'parts', 'parts[].id', 'parts[].parts', 'parts[].parts[].id', 'parts[].parts[].parts'])
})

test('every word asked for has to be there', () => {
  expect(one && matches(one, 'put THING')).toBe(true)
  expect(one && matches(one, 'put department')).toBe(false)
})

test('a sample names what is required and nothing else', () => {
  expect(one && sampleOf(one, 'https://data.example')).toBe(
    [
      `curl -X PUT 'https://data.example/api/v1/things/{id}?on=…'`,
      `-H 'Cookie: tongqu_session=…'`,
      `-H 'X-Requested-With: …'`,
      `-H 'Idempotency-Key: …'`,
      `-H 'Content-Type: application/json'`,
      `-d '{"name":"…","sizes":[]}'`,
    ].join(' \\\n  '),
  )
})
