import { afterEach, expect, test, vi } from 'vitest'
import { ApiProblem } from './errors'

type Fetch = (request: Request) => Promise<Response>

async function clientWith(answer: Fetch) {
  vi.resetModules()
  vi.stubGlobal('fetch', vi.fn(answer))
  return { ...(await import('./client')), errors: await import('./errors') }
}

afterEach(() => vi.unstubAllGlobals())

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })

test('a write carries the header that no foreign form can send', async () => {
  const seen: Request[] = []
  const { api } = await clientWith(async (request) => {
    seen.push(request)
    return json(200, {})
  })
  await api.POST('/api/v1/session', { body: { login_name: 'a', password: 'b' } })
  expect(seen[0]?.headers.get('X-Requested-With')).toBe('tongqu')
})

test('a refusal is thrown with the server’s sentence, fields and clause', async () => {
  const { api, read } = await clientWith(async () =>
    json(422, {
      code: 'request.reason_missing',
      message: 'A refusal needs a reason.',
      clause: 'PDS-10.2b',
      trace_id: 't-1',
      fields: [{ field: 'reason', code: 'missing', message: 'Give a reason.' }],
    }),
  )
  await expect(read(api.GET('/api/v1/desk'))).rejects.toMatchObject({
    status: 422,
    code: 'request.reason_missing',
    message: 'A refusal needs a reason.',
    clause: 'PDS-10.2b',
    traceId: 't-1',
    fields: [{ field: 'reason' }],
  })
})

test('an answer that is no problem body still becomes a problem', async () => {
  const { api, read } = await clientWith(async () => new Response('<html>Bad gateway</html>', { status: 502 }))
  await expect(read(api.GET('/api/v1/desk'))).rejects.toMatchObject({ status: 502, code: 'portal.unreadable' })
})

test('a server out of reach is said to be so', async () => {
  const { api, read } = await clientWith(async () => {
    throw new TypeError('failed')
  })
  await expect(read(api.GET('/api/v1/desk'))).rejects.toMatchObject({ status: 0, code: 'portal.unreachable' })
})

test('an ended session is told, but asking who is signed in is not', async () => {
  const { api, onSessionExpired } = await clientWith(async () => json(401, { code: 'session.expired', message: 'x' }))
  const told = vi.fn()
  onSessionExpired(told)
  await api.GET('/api/v1/session').catch(() => undefined)
  expect(told).not.toHaveBeenCalled()
  await api.GET('/api/v1/desk').catch(() => undefined)
  expect(told).toHaveBeenCalledOnce()
})

test('only what may pass by itself is worth asking again', () => {
  expect(new ApiProblem(503, 'x', 'x').mayPass).toBe(true)
  expect(ApiProblem.unreachable().mayPass).toBe(true)
  expect(new ApiProblem(409, 'x', 'x').mayPass).toBe(false)
  expect(new ApiProblem(403, 'x', 'x').isForbidden).toBe(true)
})
