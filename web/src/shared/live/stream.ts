/**
 * The one stream of changes of this tab, shared by everything that is drawn on it. Browsers open six connections
 * to a server and no more, so a tab holds one at most, and none while it is out of sight.
 */
import { readonly, ref, type Ref } from 'vue'
import { followChanges } from '@/api/client'
import type { ChangedView } from '@/api/types'

export type Topic = ChangedView['topic']

export interface Follower {
  topics: readonly Topic[]
  /** Something of its topics has changed, or may have. */
  tell: () => void
}

export interface LiveStream {
  /** Whether changes are told as they happen. Otherwise somebody has to ask. */
  isOpen: Readonly<Ref<boolean>>
  /** When the server was last heard, in milliseconds. */
  heardAt: Readonly<Ref<number>>
  /** Begins to follow; the reply ends it. */
  join(follower: Follower): () => void
}

/** The next page joins within this time, so the stream needn't be closed between two pages. */
const LINGER_MS = 2000
/** A stream that was refused, because there are too many or because the session has ended, is asked for again. */
const RETRY_MS = 30_000

export function createStream(connect: (topics: readonly Topic[]) => EventSource): LiveStream {
  const followers = new Set<Follower>()
  const isOpen = ref(false)
  const heardAt = ref(0)
  // It only grows, so that going from page to page doesn't open the stream anew each time.
  const topics = new Set<Topic>()
  let source: EventSource | undefined
  let lingering: ReturnType<typeof setTimeout> | undefined
  let retrying: ReturnType<typeof setTimeout> | undefined

  function tell(topic?: Topic): void {
    for (const follower of [...followers]) if (!topic || follower.topics.includes(topic)) follower.tell()
  }

  function close(): void {
    clearTimeout(retrying)
    source?.close()
    source = undefined
    isOpen.value = false
  }

  function open(): void {
    close()
    if (!followers.size || document.hidden) return
    const opened = connect([...topics].sort())
    source = opened
    const heard = (act: (event: MessageEvent<string>) => void) => (event: MessageEvent<string>) => {
      if (source !== opened) return
      heardAt.value = Date.now()
      act(event)
    }
    opened.addEventListener(
      'beat',
      heard(() => {
        if (isOpen.value) return
        isOpen.value = true
        // What happened before the first beat wasn't told.
        tell()
      }),
    )
    opened.addEventListener(
      'changed',
      heard((event) => tell((JSON.parse(event.data) as ChangedView).topic)),
    )
    opened.addEventListener(
      'resync',
      heard(() => tell()),
    )
    opened.addEventListener('error', () => {
      if (source !== opened) return
      isOpen.value = false
      // A broken line is mended by the browser; a refusal is not.
      if (opened.readyState !== 2) return
      close()
      retrying = setTimeout(open, RETRY_MS)
    })
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close()
    else open()
  })

  return {
    isOpen: readonly(isOpen),
    heardAt: readonly(heardAt),
    join(follower) {
      followers.add(follower)
      clearTimeout(lingering)
      const isNews = follower.topics.some((topic) => !topics.has(topic))
      follower.topics.forEach((topic) => topics.add(topic))
      if (isNews || !source) open()
      return () => {
        followers.delete(follower)
        if (followers.size) return
        clearTimeout(lingering)
        lingering = setTimeout(close, LINGER_MS)
      }
    },
  }
}

let ofTab: LiveStream | undefined

/** The stream of this tab. */
export function useStream(): LiveStream {
  ofTab ??= createStream(followChanges)
  return ofTab
}
