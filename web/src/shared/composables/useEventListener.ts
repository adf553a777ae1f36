import { onMounted, onUnmounted } from 'vue'

/** Listens while the component is on the page. */
export function useEventListener<Name extends keyof DocumentEventMap>(
  target: Document,
  name: Name,
  listener: (event: DocumentEventMap[Name]) => void,
): void {
  onMounted(() => target.addEventListener(name, listener))
  onUnmounted(() => target.removeEventListener(name, listener))
}
