import { nextTick, onUnmounted } from 'vue'

/**
 * Remembers what has the focus when the component comes. When it goes, the focus goes back there, or to the
 * page's content where that place is gone too; nobody who works by keyboard starts from the top of the window.
 */
export function useFocusReturn(): void {
  const from = document.activeElement
  onUnmounted(async () => {
    await nextTick()
    // Whoever has moved on meanwhile stays there.
    if (document.activeElement && document.activeElement !== document.body) return
    if (from instanceof HTMLElement && from !== document.body && from.isConnected) from.focus()
    if (document.activeElement === document.body) document.getElementById('main')?.focus({ preventScroll: true })
  })
}
