/** Keeps what a page shows as it is on the server: told by the stream of changes, else by asking at intervals. */
import { computed, onScopeDispose, readonly, ref, toValue, type MaybeRefOrGetter } from 'vue'
import { useStream, type LiveStream, type Topic } from './stream'

/** How often to ask where the stream is away. */
export const POLL_MS = 30_000
/** Many pages hear of the same change; they don't all ask in the same instant. */
const SPREAD_MS = 300
/** A busy hour changes things by the second; asking again this often is enough for a reader. */
const GAP_MS = 1500

export interface LiveOptions {
  /** When the page's data came, in milliseconds; 0 before. */
  updatedAt: MaybeRefOrGetter<number>
  /** Ask at this interval while the stream is away; the label of the data's time goes by it. */
  pollMs?: number
  /** Ask at `pollMs` even if nothing has changed: for what no act of anybody changes, like the age of a heartbeat. */
  always?: boolean
  stream?: LiveStream
}

export function useLive(topics: readonly Topic[], refetch: () => Promise<unknown>, options: LiveOptions) {
  const { updatedAt, pollMs = POLL_MS, always = false, stream = useStream() } = options
  const refreshing = ref(false)
  const changedAt = ref(0)
  let askedAt = 0
  let planned: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    planned = undefined
    // Before the first data the page's own query is under way, or was refused: asking for more changes nothing.
    if (document.hidden || toValue(updatedAt) === 0) return
    askedAt = Date.now()
    refreshing.value = true
    try {
      // What keeps it from coming is shown by the page's own query; here it only means that nothing is newer.
      await refetch().catch(() => undefined)
    } finally {
      refreshing.value = false
    }
  }

  function plan(): void {
    changedAt.value = Date.now()
    if (planned) return
    const soon = Math.random() * SPREAD_MS
    planned = setTimeout(() => void ask(), Math.max(soon, askedAt + GAP_MS - Date.now()))
  }

  const leave = stream.join({ topics, tell: plan })
  const polling = setInterval(() => {
    if (always || !stream.isOpen.value) void ask()
  }, pollMs)
  const seen = () => {
    // The stream is opened again at the same time and tells that anything may have changed; this is for when it can't.
    if (!document.hidden) plan()
  }
  document.addEventListener('visibilitychange', seen)
  onScopeDispose(() => {
    leave()
    clearInterval(polling)
    clearTimeout(planned)
    document.removeEventListener('visibilitychange', seen)
  })

  /** Until when the page is known to be right: while nothing changes, a beat of the stream is as good as new data. */
  const freshAt = computed(() => {
    const came = toValue(updatedAt)
    const isRight = came > 0 && came >= changedAt.value && stream.isOpen.value && !always
    return isRight ? Math.max(came, stream.heardAt.value) : came
  })

  return { freshAt, isLive: stream.isOpen, refreshing: readonly(refreshing), pollMs }
}
