// axe on an open page.

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const GRAVE = new Set(['serious', 'critical'])

/** Serious and critical violations of WCAG 2.1 A and AA, each with the places it was found at. */
export async function accessibilityFaults(page) {
  // Through the debugger, so that the page's content security policy doesn't have to allow it.
  await page.evaluate(source)
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }, resultTypes: ['violations'] }),
  )
  return violations
    .filter((violation) => GRAVE.has(violation.impact))
    .map((violation) => `${violation.impact} ${violation.id}: ${violation.help}\n  ${violation.nodes.map((node) => node.html).join('\n  ')}`)
}
