/** What a reader has chosen for this browser: language and elder mode. */
import { ref, watchEffect } from 'vue'

export type Locale = 'zh-CN' | 'en'

const LOCALE_KEY = 'tongqu.locale'
const ELDER_KEY = 'tongqu.elder'

// A browser may forbid storage; a preference is then kept for this page only.
function recall(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    return
  }
}

export function rememberedLocale(): Locale {
  return recall(LOCALE_KEY) === 'en' ? 'en' : 'zh-CN'
}

export function rememberLocale(locale: Locale): void {
  remember(LOCALE_KEY, locale)
}

/** Larger type and targets; the style sheet does the rest from the attribute. */
export const elderMode = ref(recall(ELDER_KEY) === 'true')

watchEffect(() => {
  document.documentElement.dataset['elder'] = String(elderMode.value)
  remember(ELDER_KEY, String(elderMode.value))
})
