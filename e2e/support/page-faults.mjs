// What is wrong with an open page, whatever it is about: axe's serious findings, sideways overflow, lists to choose from
// that don't say or show what they should, and texts that no person should meet.

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const GRAVE = new Set(['serious', 'critical'])
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']

/** Keys of messages that have no text, and values that were not there. */
const SLIPS = /\b(?:app|session|home|catalogue|request|proceeding|law|calendar|supervision|desk|exchange|ledger|shared|directory|demand|developer|first_steps|grant|help|nodes|stats|screen|tour)\.[a-z]\w*(?:\.\w+)*|\bundefined\b|\bNaN\b|\[object |\bInvalid Date\b/g

/** Codes that stand where a text should: `public_institution`. */
const CODES = /\b[a-z]+(?:_[a-z]+)+\b/g

/**
 * All faults, each in a line or more. `rawCodes` says that the view shows a record's own codes on purpose,
 * as the proof of an act does; `spokenOnly`, that no code may stand on it at all.
 */
export async function pageFaults(page, { rawCodes = false, spokenOnly = false } = {}) {
  const patterns = rawCodes ? [] : spokenOnly ? [SLIPS, CODES] : [SLIPS]
  return [...(await accessibilityFaults(page)), ...(await overflow(page)), ...(await page.evaluate(listFaults)), ...(await slips(page, patterns))]
}

/** Serious and critical violations of WCAG 2.1 A and AA, each with the places it was found at. */
async function accessibilityFaults(page) {
  // Through the debugger, so that the page's content security policy doesn't have to allow it.
  await page.evaluate(axe)
  const { violations } = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] }), RULES)
  return violations
    .filter((violation) => GRAVE.has(violation.impact))
    .map((violation) => `${violation.impact} ${violation.id}: ${violation.help}\n  ${violation.nodes.map((node) => node.html).join('\n  ')}`)
}

async function overflow(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
  return content > window ? [`the page is ${content} px wide in a window of ${window} px`] : []
}

/**
 * Runs in the page. A native list's open options are drawn by the browser, out of axe's sight, which sees to its label and
 * its contrast only. So here: that each option has its text, that the chosen one can be read in whole, and that the list can
 * be reached by keyboard.
 */
function listFaults() {
  const ARROW_PX = 16
  /** A name that is longer is cut in any list; its whole is among the open options. */
  const WIDEST_REM = 36
  const pen = document.createElement('canvas').getContext('2d')

  function isCut(list) {
    const style = getComputedStyle(list)
    pen.font = style.font
    const text = pen.measureText(list.selectedOptions[0].label).width
    const widest = WIDEST_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
    const room = list.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight)
    const arrow = style.appearance === 'none' ? 0 : ARROW_PX
    return text <= widest && text > room - arrow + 1
  }

  // Behind an open dialog nothing can be chosen.
  const dialog = document.querySelector('dialog[open]')
  const lists = [...document.querySelectorAll('select')].filter((list) => list.checkVisibility() && (!dialog || dialog.contains(list)))
  return lists.flatMap((list) => {
    const name = `the list “${list.ariaLabel ?? list.labels[0]?.firstChild?.textContent.trim()}”`
    const options = [...list.options]
    return [
      options.length > 0 ? '' : `${name} has nothing to choose from`,
      options.every((option) => option.label.trim()) ? '' : `${name} has an option without a text`,
      list.selectedOptions.length > 0 && isCut(list) ? `${name} cuts “${list.selectedOptions[0].label}”` : '',
      list.disabled || (list.tabIndex >= 0 && !list.closest('[inert]')) ? '' : `${name} can't be reached by keyboard`,
    ].filter(Boolean)
  })
}

async function slips(page, patterns) {
  // Codes that are shown as codes, data items' names in a store and the like, are set in their own type.
  const [text, shownAsCode] = await page.evaluate(() => [
    [document.body.innerText, ...[...document.querySelectorAll('option')].map((option) => option.label)].join('\n'),
    [...document.querySelectorAll('.mono, code, pre')].map((node) => node.textContent).join(' '),
  ])
  const meant = new Set(shownAsCode.match(CODES))
  const found = patterns.flatMap((pattern) => text.match(pattern) ?? [])
  return [...new Set(found)].filter((slip) => !meant.has(slip)).map((slip) => `the page says “${slip}”`)
}
