import { expect, test } from 'vitest'
import type { EntryView, PreviewView } from '@/api/types'
import { valuesOf } from '@/shared/case/conditions'
import { bodyOf, draftOf, keepDraft, recallDraft, type RequestDraft } from './requestDraft'

const entry = {
  content: { items: [{ code: 'code', key: true }, { code: 'name' }, { code: 'phone' }] },
} as EntryView

const preview = {
  modes: [{ mode: 'table' }],
  prefill: {
    columns: ['name'],
    condition: [{ column: 'province', op: 'in', values: ['41', '42'] }],
    purpose_kind: 'data_check',
    purpose: '核对',
    duty: '区划管理',
    consumer_system: '地名系统',
    term_months: 12,
    previous_request_id: 'req-1',
  },
} as PreviewView

const draft = (changes: Partial<RequestDraft> = {}): RequestDraft => ({ ...draftOf(entry, preview, []), ...changes })

test('the form begins as the server fills it in, with the key', () => {
  expect(draft()).toMatchObject({
    mode: 'table',
    columns: ['code', 'name'],
    conditions: [{ column: 'province', op: 'in', values: '41,42' }],
    previousRequestId: 'req-1',
  })
})

test('what was picked on the entry page goes before the last request', () => {
  expect(draftOf(entry, preview, ['phone']).columns).toEqual(['code', 'phone'])
})

test('values may be separated by commas of either width', () => {
  expect(valuesOf('41， 42,43、44\n45')).toEqual(['41', '42', '43', '44', '45'])
})

test('a prefix condition keeps its text whole', () => {
  const conditions = [{ column: 'province', op: 'prefix', values: ' 41 ' }]
  expect(bodyOf(draft({ conditions }), 'e-1', 2).condition).toEqual([
    { column: 'province', op: 'prefix', values: ['41'] },
  ])
})

test('a condition without a value is not sent', () => {
  const conditions = [{ column: 'name', op: 'in', values: ' ， ' }]
  expect(bodyOf(draft({ conditions }), 'e-1', 1).condition).toEqual([])
})

test('a request without an end has no term', () => {
  expect(bodyOf(draft({ termMonths: 0 }), 'e-1', 1).term_months).toBeNull()
})

test('what was typed survives leaving the page, until it is sent', () => {
  keepDraft('e-9', draft({ purpose: '核对区划' }))
  expect(recallDraft('e-9')?.purpose).toBe('核对区划')
  keepDraft('e-9', null)
  expect(recallDraft('e-9')).toBeNull()
})
