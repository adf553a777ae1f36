/** What this browser keeps for its reader between visits. Without Vue, because the first script needs it too. */

export type Locale = 'zh-CN' | 'en'

const LOCALE_KEY = 'tongqu.locale'
const ELDER_KEY = 'tongqu.elder'
const NAME_KEY = 'tongqu.name'
const SIGNED_IN_KEY = 'tongqu.signed_in'

// A browser may forbid storage; a preference is then kept for this page only.
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export function remember(key: string, value: string): void {
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

export function rememberedElder(): boolean {
  return recall(ELDER_KEY) === 'true'
}

export function rememberElder(elder: boolean): void {
  remember(ELDER_KEY, String(elder))
}

/** Whether somebody was signed in here when the server last said so. It may have changed since; only the server knows. */
export function rememberedSignedIn(): boolean {
  return recall(SIGNED_IN_KEY) === 'true'
}

export function rememberSignedIn(signedIn: boolean): void {
  remember(SIGNED_IN_KEY, String(signedIn))
}

/** The installation's name as the server last gave it; empty before. */
export function rememberedName(): string {
  return recall(NAME_KEY) ?? ''
}

export function rememberName(name: string): void {
  remember(NAME_KEY, name)
}
