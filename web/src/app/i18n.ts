/** Languages of the portal. Messages of a feature come with its first page; the shell's come at the start. */
import { createI18n } from 'vue-i18n'
import { rememberedLocale, rememberLocale, type Locale } from '@/shared/remembered'
import { commonTexts, featureTexts } from './texts'

export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN' as string,
  fallbackLocale: 'zh-CN',
  messages: {},
  missingWarn: false,
  fallbackWarn: false,
})

const loaded = new Set<string>()
const wanted = new Set<string>()

async function load(feature: string, locale: Locale): Promise<void> {
  if (loaded.has(`${feature} ${locale}`)) return
  const texts = await featureTexts(feature, locale)
  if (!texts) return
  i18n.global.mergeLocaleMessage(locale, { [feature]: texts })
  loaded.add(`${feature} ${locale}`)
}

async function loadCommon(locale: Locale): Promise<void> {
  if (loaded.has(locale)) return
  const { app, shared } = await commonTexts(locale)
  i18n.global.mergeLocaleMessage(locale, { app, shared })
  loaded.add(locale)
}

/** Makes a feature's texts ready in the present language. */
export async function loadFeatureMessages(feature: string): Promise<void> {
  wanted.add(feature)
  await load(feature, i18n.global.locale.value as Locale)
}

/** Switches the language of the portal and remembers it. */
export async function setLocale(locale: Locale): Promise<void> {
  await Promise.all([loadCommon(locale), ...[...wanted].map((feature) => load(feature, locale))])
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
  rememberLocale(locale)
}

/** Loads the texts needed before the first page. */
export function startLocale(): Promise<void> {
  return setLocale(rememberedLocale())
}
