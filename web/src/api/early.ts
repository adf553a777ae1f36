/** Questions that are asked before the portal's own script has arrived; it finds the answers instead of waiting for them. */

/** An answer that nobody has taken by then is out of date. */
const KEPT_MS = 10_000

interface Early {
  reply: Promise<Response>
  at: number
}

const begun = new Map<string, Early>()

/** The same question in another language has another answer. */
function keyOf(language: string | null, path: string): string {
  return `${language} ${path}`
}

/** Asks the API for `path` at once. The first who asks for the same gets this answer; this one's own copy comes back. */
export async function askEarly(path: string): Promise<Response> {
  const language = document.documentElement.lang
  const reply = fetch(path, { headers: { 'Accept-Language': language, 'X-Requested-With': 'tongqu' } })
  begun.set(keyOf(language, path), { reply, at: performance.now() })
  return (await reply).clone()
}

/** `fetch`, save for what was asked early. After anything is written, no earlier answer holds. */
export async function fetchOrTake(request: Request): Promise<Response> {
  if (request.method !== 'GET') begun.clear()
  const { pathname, search } = new URL(request.url)
  const key = keyOf(request.headers.get('Accept-Language'), pathname + search)
  const early = begun.get(key)
  begun.delete(key)
  if (!early || performance.now() - early.at > KEPT_MS) return fetch(request)
  try {
    return await early.reply
  } catch {
    return fetch(request)
  }
}
