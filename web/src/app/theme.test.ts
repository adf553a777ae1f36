import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const css = readFileSync(join(import.meta.dirname, 'theme.css'), 'utf8')
const tokens = new Map([...css.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]))

function luminance(colour: string): number {
  const channels = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * channels[0]! + 0.7152 * channels[1]! + 0.0722 * channels[2]!
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (light! + 0.05) / (dark! + 0.05)
}

function colour(name: string): string {
  const value = name.startsWith('#') ? name : tokens.get(name)
  if (!value) throw new Error(`no such token: ${name}`)
  return value
}

test('the formula agrees with the known extremes', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
})

test.each([
  ['ink-900', 'card'],
  ['ink-900', 'bg'],
  ['ink-900', 'mark'],
  ['ink-700', 'card'],
  ['ink-700', 'blue-50'],
  ['ink-500', 'card'],
  ['ink-500', 'bg'],
  ['ink-500', 'blue-50'],
  ['ink-500', 'grey-50'],
  ['blue-700', 'card'],
  ['blue-700', 'bg'],
  ['blue-800', 'blue-100'],
  ['blue-800', 'blue-50'],
  ['#ffffff', 'blue-600'],
  ['#ffffff', 'blue-800'],
  ['#ffffff', 'red-700'],
  ['red-700', 'card'],
  ['red-700', 'red-50'],
  ['amber-700', 'card'],
  ['amber-700', 'amber-50'],
  ['green-700', 'card'],
  ['green-700', 'green-50'],
  ['grey-700', 'grey-50'],
  ['blue-900', 'gold'],
  // Header, hero, sign-in and footer: the lightest blue that carries the text.
  ['#e3edfd', '#114c9f'],
  ['#c9dcfa', '#114c9f'],
  ['gold', '#114c9f'],
  // The big screen: on its lightest ground, and on its panels.
  ['#e8f1ff', '#0e3a86'],
  ['#c9dcfa', '#0e3a86'],
  ['#ff8a8f', '#0d2f74'],
  ['#ff8a8f', '#5a1a2a'],
  ['gold', '#0d2f74'],
  ['#041230', 'gold'],
  ['#dbe9ff', 'blue-600'],
  ['#c3d2ea', '#0b2450'],
  ['#66758c', 'card'],
  ['#5a677b', '#eceff4'],
])('text %s on %s reaches 4.5:1', (text, ground) => {
  expect(contrast(colour(text), colour(ground))).toBeGreaterThanOrEqual(4.5)
})

test.each([
  ['line-strong', 'card'],
  ['line-strong', 'bg'],
  ['blue-900', 'card'],
  ['blue-900', 'bg'],
  ['gold', 'blue-600'],
  ['gold', '#0b2450'],
  ['chart-1', 'card'],
  ['chart-2', 'card'],
  ['chart-3', 'card'],
  ['chart-4', 'card'],
  ['chart-5', 'card'],
  ['chart-6', 'card'],
])('edge, ring or chart colour %s on %s reaches 3:1', (line, ground) => {
  expect(contrast(colour(line), colour(ground))).toBeGreaterThanOrEqual(3)
})
