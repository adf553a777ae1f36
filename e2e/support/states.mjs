// The states that every page has to stand: what the server says is changed on its way to the portal.

const API = '**/api/v1/**'
/** Without these no page opens at all; what happens then, the story of a server that is away shows. */
const SHELL = /\/api\/v1\/(platform|session|live)(\?|$)/

const HOSTILE_NAME = '<img src=x onerror=alert(1)>超长名称的直属事业单位与派出机构联合管理办公室\u202e综合科（试行）'
const BIG = 9_876_543_210
const NAMES = /(^|_)(name|title|summary|reason|purpose|text|note|place|sentence)$/
const COUNTS = /(^|_)(count|rows|total|entries|delivered|read|departments|open_cases|open|granted|refused)$/

/** Every question of the page stays without an answer. */
export async function unanswered(page) {
  await page.route(API, (route) => (SHELL.test(route.request().url()) ? route.continue() : undefined))
}

/** Every question is answered with the platform's own fault. */
export async function broken(page) {
  const problem = { code: 'platform.bug', message: '平台出了问题，这次没有办成。请稍后再试。', trace_id: '0123456789abcdef' }
  await page.route(API, (route) =>
    SHELL.test(route.request().url()) ? route.continue() : route.fulfill({ status: 500, contentType: 'application/json', body: JSON.stringify(problem) }),
  )
}

/** Lists have nothing in them. */
export function empty(page) {
  return changed(page, (body) => {
    if (Array.isArray(body.items)) Object.assign(body, { items: [], next_cursor: null })
    if (typeof body.total === 'number') body.total = 0
  })
}

/** Names are 40 characters of markup and turned text, counts have ten digits, entries 300 data items. */
export function hostile(page) {
  return changed(page, (body) => {
    const items = body.content?.items
    if (Array.isArray(items) && items.length > 0) {
      body.content.items = Array.from({ length: 300 }, (_, n) => ({ ...items[n % items.length], code: `item_${n}` }))
    }
    spoil(body)
  })
}

/** One kind of answer is changed on its way, that of the path that fits. */
export async function answers(page, path, change) {
  await page.route(
    (url) => url.pathname.startsWith('/api/v1/') && path.test(url.pathname),
    async (route) => {
      if (route.request().method() !== 'GET') return route.fallback()
      const reply = await route.fetch().catch(() => undefined)
      if (!reply) return route.abort()
      if (!reply.ok()) return route.fulfill({ response: reply })
      const body = await reply.json()
      change(body)
      return route.fulfill({ response: reply, json: body })
    },
  )
}

async function changed(page, change) {
  await page.route(API, async (route) => {
    const request = route.request()
    if (request.method() !== 'GET' || SHELL.test(request.url())) return route.continue()
    const reply = await route.fetch().catch(() => undefined)
    if (!reply) return route.abort()
    if (!reply.ok() || !(reply.headers()['content-type'] ?? '').startsWith('application/json')) return route.fulfill({ response: reply })
    const body = await reply.json()
    change(body)
    return route.fulfill({ response: reply, json: body })
  })
}

function spoil(value) {
  if (Array.isArray(value)) return value.forEach(spoil)
  if (value === null || typeof value !== 'object') return undefined
  for (const [key, held] of Object.entries(value)) {
    if (typeof held === 'string' && NAMES.test(key)) value[key] = HOSTILE_NAME
    else if (Number.isInteger(held) && COUNTS.test(key)) value[key] = BIG
    else spoil(held)
  }
  return undefined
}

/** Answers come as they are again. */
export async function asItIs(page) {
  await page.unrouteAll({ behavior: 'ignoreErrors' })
}
