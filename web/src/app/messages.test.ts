import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const SRC = join(import.meta.dirname, '..')
const LOCALES = ['zh-CN', 'en'] as const

type Texts = { [key: string]: string | Texts }

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
  )
}

const all = files(SRC)
const sources = all.filter((file) => /\.(vue|ts)$/.test(file) && !/\.(test|gen)\.ts$/.test(file))

function flatten(texts: Texts, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) =>
      typeof text === 'string' ? [[`${prefix}.${key}`, text]] : Object.entries(flatten(text, `${prefix}.${key}`)),
    ),
  )
}

function textsIn(locale: string): Record<string, string> {
  const found = all.filter((file) => file.endsWith(`.${locale}.json`))
  return Object.assign(
    {},
    ...found.map((file) => flatten(JSON.parse(readFileSync(file, 'utf8')) as Texts, basename(file).split('.')[0]!)),
  ) as Record<string, string>
}

const texts = { 'zh-CN': textsIn('zh-CN'), en: textsIn('en') }
const owners = [...new Set(Object.keys(texts.en).map((key) => key.split('.')[0]!))]
const KEY = new RegExp(`(?:'|keypath=")((?:${owners.join('|')})\\.[a-z0-9_.]+)['"]`, 'g')
const FAMILY = new RegExp('`((?:' + owners.join('|') + ')\\.[a-z0-9_.]*)\\$\\{', 'g')

interface Use {
  file: string
  keys: string[]
  families: string[]
}

const known = Object.keys(texts.en)
const isFamily = (key: string) => !known.includes(key) && known.some((one) => one.startsWith(`${key}.`))

const frame = readFileSync(join(SRC, '..', 'index.html'), 'utf8')
const inFrame: Use = {
  file: '../index.html',
  keys: [...frame.matchAll(/data-say="([^"]+)"/g)].map((match) => match[1]!),
  families: [],
}
const inSources: Use[] = sources.map((file) => {
  const source = readFileSync(file, 'utf8')
  const quoted = [...source.matchAll(KEY)].map((match) => match[1]!)
  const begun = [...source.matchAll(FAMILY)].map((match) => match[1]!)
  return {
    file: relative(SRC, file),
    keys: quoted.filter((key) => !isFamily(key)),
    families: [...begun, ...quoted.filter(isFamily).map((key) => `${key}.`)],
  }
})

const uses = [inFrame, ...inSources]

test('both languages have the same texts', () => {
  expect(Object.keys(texts.en).sort()).toEqual(Object.keys(texts['zh-CN']).sort())
})

test.each(LOCALES)('no text in %s is left empty, except units', (locale) => {
  const empty = Object.entries(texts[locale]).filter(([key, text]) => !text.trim() && !key.includes('.unit.'))
  expect(empty).toEqual([])
})

test('both languages fill in the same values', () => {
  const names = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort()
  const differing = known.filter((key) => names(texts.en[key]!).join() !== names(texts['zh-CN'][key] ?? '').join())
  expect(differing).toEqual([])
})

test('every text that is asked for exists', () => {
  const missing = uses.flatMap(({ file, keys, families }) => [
    ...keys.filter((key) => !known.includes(key)).map((key) => `${file}: ${key}`),
    ...families.filter((family) => !known.some((key) => key.startsWith(family))).map((key) => `${file}: ${key}*`),
  ])
  expect(missing).toEqual([])
})

test('every text is asked for', () => {
  const keys = new Set(uses.flatMap((use) => use.keys))
  const families = [...new Set(uses.flatMap((use) => use.families))]
  const dead = known.filter((key) => !keys.has(key) && !families.some((family) => key.startsWith(family)))
  expect(dead).toEqual([])
})

test('a feature shows its own texts and the shared ones', () => {
  const foreign = uses.flatMap(({ file, keys, families }) => {
    const [room, feature] = file.split(/[\\/]/)
    const allowed = room === 'features' ? ['shared', feature] : room === 'shared' ? ['shared'] : owners
    return [...keys, ...families].filter((key) => !allowed.includes(key.split('.')[0]!)).map((key) => `${file}: ${key}`)
  })
  expect(foreign).toEqual([])
})

test('no Chinese is written into pages or scripts', () => {
  const found = sources.flatMap((file) => {
    const source = readFileSync(file, 'utf8')
      .replace(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->/g, '')
      .replace(/^\s*\/\/.*$/gm, '')
    const match = /[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+/.exec(source)
    return match ? [`${relative(SRC, file)}: ${match[0]}`] : []
  })
  expect(found).toEqual([])
})
