import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, ref, type EffectScope } from 'vue'
import { createStream, type LiveStream, type Topic } from './stream'
import { POLL_MS, useLive } from './useLive'

/** Stands for the browser's own: records what was asked and lets a test speak as the server. */
class FakeSource {
  static opened: FakeSource[] = []
  readyState = 0
  private readonly listeners = new Map<string, ((event: { data: string }) => void)[]>()

  constructor(readonly topics: readonly Topic[]) {
    FakeSource.opened.push(this)
  }

  static get last(): FakeSource {
    return FakeSource.opened.at(-1)!
  }

  addEventListener(name: string, listener: (event: { data: string }) => void): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener])
  }

  close(): void {
    this.readyState = 2
  }

  says(name: string, data: unknown = {}): void {
    this.listeners.get(name)?.forEach((listener) => listener({ data: JSON.stringify(data) }))
  }

  breaks(readyState: number): void {
    this.readyState = readyState
    this.says('error')
  }
}

let stream: LiveStream
let scope: EffectScope
let hidden = false

function look(isHidden: boolean): void {
  hidden = isHidden
  document.dispatchEvent(new Event('visibilitychange'))
}

/** A page that is live: how often it has asked, and what it knows of its data. */
function page(topics: Topic[], answer: () => Promise<unknown> = () => Promise.resolve()) {
  const updatedAt = ref(Date.now())
  const refetch = vi.fn(async () => {
    await answer()
    updatedAt.value = Date.now()
  })
  return { refetch, ...scope.run(() => useLive(topics, refetch, { updatedAt, stream }))! }
}

beforeEach(() => {
  vi.useFakeTimers()
  hidden = false
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden)
  FakeSource.opened = []
  stream = createStream((topics) => new FakeSource(topics) as unknown as EventSource)
  scope = effectScope()
})

afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

async function opened(): Promise<void> {
  FakeSource.last.says('beat')
  await vi.advanceTimersByTimeAsync(2000)
}

test('a change of the topic is read at once, another topic is not', async () => {
  const { refetch } = page(['runs'])
  await opened()
  refetch.mockClear()
  FakeSource.last.says('changed', { topic: 'cases', number: 4 })
  await vi.advanceTimersByTimeAsync(5000)
  expect(refetch).not.toHaveBeenCalled()
  FakeSource.last.says('changed', { topic: 'runs', number: 5 })
  await vi.advanceTimersByTimeAsync(1500)
  expect(refetch).toHaveBeenCalledTimes(1)
  FakeSource.last.says('resync')
  await vi.advanceTimersByTimeAsync(2000)
  expect(refetch).toHaveBeenCalledTimes(2)
})

test('a burst of changes is read a few times only', async () => {
  const { refetch } = page(['runs'])
  await opened()
  refetch.mockClear()
  for (let number = 0; number < 60; number += 1) {
    FakeSource.last.says('changed', { topic: 'runs', number })
    await vi.advanceTimersByTimeAsync(50)
  }
  expect(refetch.mock.calls.length).toBeGreaterThan(0)
  expect(refetch.mock.calls.length).toBeLessThan(4)
})

test('without the stream the page asks at intervals, with it not', async () => {
  const { refetch, isLive } = page(['runs'])
  FakeSource.last.breaks(0)
  await vi.advanceTimersByTimeAsync(2 * POLL_MS + 100)
  expect(isLive.value).toBe(false)
  expect(refetch).toHaveBeenCalledTimes(2)
  await opened()
  refetch.mockClear()
  await vi.advanceTimersByTimeAsync(3 * POLL_MS)
  expect(isLive.value).toBe(true)
  expect(refetch).not.toHaveBeenCalled()
})

test('a refused stream is asked for again after a while', async () => {
  page(['runs'])
  FakeSource.last.breaks(2)
  expect(FakeSource.opened).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(31_000)
  expect(FakeSource.opened).toHaveLength(2)
})

test('a hidden tab neither listens nor asks; back in sight it reads anew', async () => {
  const { refetch } = page(['runs'])
  await opened()
  refetch.mockClear()
  look(true)
  expect(FakeSource.last.readyState).toBe(2)
  await vi.advanceTimersByTimeAsync(10 * POLL_MS)
  expect(refetch).not.toHaveBeenCalled()
  look(false)
  await vi.advanceTimersByTimeAsync(2000)
  expect(FakeSource.opened).toHaveLength(2)
  expect(refetch).toHaveBeenCalledTimes(1)
})

test('a tab holds one stream, which outlives the way to the next page and ends with the last', async () => {
  const first = effectScope()
  first.run(() => useLive(['runs'], () => Promise.resolve(), { updatedAt: 0, stream }))
  first.stop()
  const second = page(['runs'])
  await vi.advanceTimersByTimeAsync(3000)
  expect(FakeSource.opened).toHaveLength(1)
  expect(FakeSource.last.readyState).toBe(0)
  page(['cases'])
  expect(FakeSource.opened.map((source) => source.topics)).toEqual([['runs'], ['cases', 'runs']])
  expect(FakeSource.opened[0]!.readyState).toBe(2)
  expect(second.refetch).not.toHaveBeenCalled()
  scope.stop()
  await vi.advanceTimersByTimeAsync(3000)
  expect(FakeSource.last.readyState).toBe(2)
})

test('the data are as fresh as the last beat, but not while a change waits to be read', async () => {
  let answer = () => Promise.resolve<unknown>(undefined)
  const { freshAt } = page(['runs'], () => answer())
  await opened()
  await vi.advanceTimersByTimeAsync(60_000)
  FakeSource.last.says('beat')
  expect(freshAt.value).toBe(Date.now())
  answer = () => Promise.reject(new Error('away'))
  const before = freshAt.value
  await vi.advanceTimersByTimeAsync(1000)
  FakeSource.last.says('changed', { topic: 'runs', number: 9 })
  await vi.advanceTimersByTimeAsync(20_000)
  FakeSource.last.says('beat')
  expect(freshAt.value).toBeLessThan(before)
})

test('a page that was refused does not ask on and on', async () => {
  const refetch = vi.fn(() => Promise.resolve())
  scope.run(() => useLive(['runs'], refetch, { updatedAt: 0, pollMs: 10_000, always: true, stream }))
  await opened()
  FakeSource.last.says('changed', { topic: 'runs', number: 1 })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(refetch).not.toHaveBeenCalled()
})
