/** Where the texts lie: those of every page in one file for each language, those of a feature in another. */
import type { Locale } from '@/shared/remembered'

type Compiled = Record<string, unknown>
const features = import.meta.glob<Compiled>('../../features/*/*.json', { import: 'default' })

export function commonTexts(locale: Locale): Promise<{ app: Compiled; shared: Compiled }> {
  return locale === 'en' ? import('./en') : import('./zh-CN')
}

/** A feature's texts, if it has any. */
export async function featureTexts(feature: string, locale: Locale): Promise<Compiled | undefined> {
  return features[`../../features/${feature}/${feature}.${locale}.json`]?.()
}
