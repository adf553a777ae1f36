/** Short confirmations. They stay until dismissed in elder mode, and long enough to read otherwise. */
import { readonly, ref } from 'vue'
import { elderMode } from '@/shared/preferences'

const SHOWN_MS = 8000

const toasts = ref<{ id: number; text: string }[]>([])
let last = 0

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

function say(text: string): void {
  const id = ++last
  toasts.value.push({ id, text })
  if (!elderMode.value) setTimeout(() => dismiss(id), SHOWN_MS)
}

export function useToasts() {
  return { toasts: readonly(toasts), say, dismiss }
}
