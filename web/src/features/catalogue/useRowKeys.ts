import { useEventListener } from '@/shared/composables/useEventListener'
import { shortcuts } from '@/shared/preferences'

/** `J` and `K` move the focus to the next and previous link; Enter opens it, as links do. */
export function useRowKeys(selector: string): void {
  useEventListener(document, 'keydown', (event) => {
    const step = { j: 1, k: -1 }[event.key.toLowerCase()]
    const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog')
    if (!step || !shortcuts.value || typing || event.ctrlKey || event.metaKey || event.altKey) return
    const links = [...document.querySelectorAll<HTMLElement>(selector)]
    const at = links.indexOf(document.activeElement as HTMLElement)
    links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus()
  })
}
