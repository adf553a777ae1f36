import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HtmlTagDescriptor, Plugin } from 'vite'

const SRC = join(import.meta.dirname, '..', 'src')
/** What the first script loads at once, so that the browser needn't wait for it to say so. */
const PORTAL = join(SRC, 'app', 'portal.ts')

type Texts = { [key: string]: string | Texts }

/** A text by its key, as the message files of `src` have it. */
export function textOf(key: string, locale: string): string {
  const [owner, ...steps] = key.split('.') as [string, ...string[]]
  const folder = owner === 'app' || owner === 'shared' ? owner : join('features', owner)
  const texts = JSON.parse(readFileSync(join(SRC, folder, `${owner}.${locale}.json`), 'utf8')) as Texts
  const text = steps.reduce<Texts | string | undefined>((within, step) => (within as Texts)[step], texts)
  if (typeof text !== 'string' || /[<>"&{]/.test(text)) throw new Error(`no plain text ${key} in ${locale}`)
  return text
}

/** Fills in the texts of `data-say`, the English beside the Chinese, and the mark of the brand. */
export function fillIn(html: string): string {
  const mark = /<svg[\s\S]*<\/svg>/.exec(readFileSync(join(SRC, 'shared', 'ui', 'BrandMark.vue'), 'utf8'))![0]
  return html
    .replaceAll('<brand-mark></brand-mark>', mark)
    .replace(/ data-say="([^"]+)">/g, (_, key: string) => ` data-en="${textOf(key, 'en')}">${textOf(key, 'zh-CN')}`)
}

/** Makes index.html the frame that is seen first. */
export function frame(): Plugin {
  return {
    name: 'tongqu-frame',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const portal = Object.values(bundle ?? {}).find(
          (file) => file.type === 'chunk' && file.facadeModuleId === PORTAL,
        )
        const files = portal?.type === 'chunk' ? [portal.fileName, ...portal.imports] : []
        const tags: HtmlTagDescriptor[] = files
          .filter((file) => !html.includes(file))
          .map((file) => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: `/${file}` },
            injectTo: 'head',
          }))
        return { html: fillIn(html), tags }
      },
    },
  }
}
