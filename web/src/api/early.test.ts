import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { askEarly, fetchOrTake } from './early'

const HOME = 'http://localhost/api/v1/home'
const answers = vi.fn<(input: Request | string) => Promise<Response>>()
let now = 0

beforeEach(() => {
  let nth = 0
  answers.mockReset().mockImplementation(() => Promise.resolve(new Response(String((nth += 1)))))
  vi.stubGlobal('fetch', answers)
  document.documentElement.lang = 'zh-CN'
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})

afterEach(async () => {
  await fetchOrTake(new Request(HOME, { method: 'DELETE' }))
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function asked(method = 'GET', language = 'zh-CN'): Promise<string> {
  const headers = { 'Accept-Language': language }
  return (await fetchOrTake(new Request(HOME, { method, headers }))).text()
}

test('an early answer is given once, beside the own copy of whoever asked early', async () => {
  const own = await askEarly('/api/v1/home')
  expect(await asked()).toBe('1')
  expect(await own.text()).toBe('1')
  expect(await asked()).toBe('2')
})

test('after something was written, and after a while, the server is asked again', async () => {
  await askEarly('/api/v1/home')
  await asked('POST')
  expect(await asked()).toBe('3')
  await askEarly('/api/v1/home')
  now += 60_000
  expect(await asked()).toBe('5')
})

test('whoever has changed the language in between is not given the answer in the other', async () => {
  await askEarly('/api/v1/home')
  expect(await asked('GET', 'en')).toBe('2')
  expect(await asked()).toBe('1')
})

test('an early question that did not get through is asked again', async () => {
  answers.mockImplementationOnce(() => Promise.reject(new TypeError('away')))
  await expect(askEarly('/api/v1/home')).rejects.toThrow('away')
  expect(await asked()).toBe('1')
})
