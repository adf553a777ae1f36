import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import en from '../shared.en.json'
import zh from '../shared.zh-CN.json'

// The engine's own words, which no regulation gives a name.
const words = readFileSync(join(import.meta.dirname, '../../../../crates/domain/src/law/words.rs'), 'utf8')
const settled = [...words.match(/SETTLED_FACTS: &\[&str\] = &\[([^\]]+)\]/)![1]!.matchAll(/"(\w+)"/g)].map(
  (found) => found[1]!,
)
const deciders = [...words.match(/DecidedBy \{([^}]+)\}/)![1]!.matchAll(/= "(\w+)" \//g)].map((found) => found[1]!)

test('every fact that the engine settles has a name in both languages', () => {
  expect(settled).toContain('decider')
  for (const texts of [zh, en]) expect(Object.keys(texts.settled).sort()).toEqual([...settled].sort())
})

test('whoever may decide has a name in both languages', () => {
  expect(deciders).toContain('provider')
  for (const texts of [zh, en]) expect(Object.keys(texts.fact)).toEqual(expect.arrayContaining([...deciders, 'silent']))
})
