// A person without a mouse: every stop of the Tab key is in sight and shows that it has the focus, and every
// press is counted.

import { check } from './check.mjs'

/** More stops than this between two places, and nobody finds the way. */
const STOPS_MAX = 150
/** WCAG 2.1, 1.4.11: what a ring differs by from the ground that it is drawn on. */
const RING_CONTRAST_MIN = 3

export class Keyboard {
  #page
  #presses = 0
  #mouse = []

  /** Watches the pages opened from now on: whatever a mouse does on them is held against the story. */
  static async of(page) {
    const keys = new Keyboard(page)
    await page.exposeFunction('noteMouse', (what) => keys.#mouse.push(what))
    await page.addInitScript(() => {
      for (const kind of ['mousedown', 'pointerdown', 'touchstart']) {
        globalThis.addEventListener(kind, (event) => globalThis.noteMouse(`${kind} on ${event.target.outerHTML.slice(0, 80)}`), { capture: true })
      }
    })
    return keys
  }

  constructor(page) {
    this.#page = page
  }

  /** Presses since this was last asked. */
  takePresses() {
    const presses = this.#presses
    this.#presses = 0
    return presses
  }

  async press(...keys) {
    for (const key of keys) {
      this.#presses += 1
      await this.#page.keyboard.press(key)
    }
  }

  /** Types into what has the focus; a Chinese character counts as one press, as no method of input is at hand. */
  async type(text) {
    this.#presses += [...text].length
    await this.#page.keyboard.type(text)
  }

  /** Goes on with the Tab key, or back with `back`, until this has the focus; each stop on the way is looked at. */
  async goTo(target, { back = false } = {}) {
    await target.waitFor()
    for (let stops = 0; stops < STOPS_MAX; stops += 1) {
      if (stops > 0 && (await hasFocus(target))) return
      await this.press(back ? 'Shift+Tab' : 'Tab')
      await this.checkStop()
    }
    throw new Error(`the Tab key doesn't lead there: ${target}`)
  }

  /** Goes to a button, link or box and presses it. */
  async use(target, { key = 'Enter', back = false } = {}) {
    await this.goTo(target, { back })
    await this.press(key)
  }

  /** Goes to a field and types into it. */
  async fill(target, text) {
    await this.goTo(target)
    await this.type(text)
  }

  /** Goes to a list of choices and moves on, by the arrow, to the one of this name. */
  async choose(target, name) {
    await this.goTo(target)
    const shown = () => target.evaluate((list) => list.selectedOptions[0]?.textContent.trim())
    for (let moves = await target.locator('option').count(); (await shown()) !== name; moves -= 1) {
      check(moves > 0, `the arrow key doesn't reach “${name}” in ${target}`)
      await this.press('ArrowDown')
    }
  }

  /** What has the focus now is to be seen, lies open to the eye, and bears a ring that stands out. */
  async checkStop() {
    const fault = await this.#page.evaluate(faultOfStop, RING_CONTRAST_MIN)
    check(!fault, `a stop of the Tab key is not good: ${fault}`)
  }

  async checkFocus(target, when) {
    check(await hasFocus(target), `${when}, the focus is elsewhere: on ${await this.#page.evaluate(() => document.activeElement.outerHTML.slice(0, 120))}`)
  }

  checkNoMouse() {
    check(this.#mouse.length === 0, `the mouse was used: ${this.#mouse.join(', ')}`)
  }
}

async function hasFocus(target) {
  return target.evaluate((node) => node === document.activeElement)
}

/** Runs in the page. */
function faultOfStop(contrastMin) {
  const at = document.activeElement
  if (!at || at === document.body || at === document.documentElement) return undefined
  const what = `${at.tagName.toLowerCase()} “${(at.getAttribute('aria-label') ?? at.innerText ?? at.id).trim().slice(0, 40)}”`

  const first = at.getClientRects()[0]
  if (!first || first.width < 1 || first.height < 1) return `${what} has no size`
  const [x, y] = [first.x + first.width / 2, first.y + Math.min(first.height, innerHeight) / 2]
  if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return `${what} is out of sight, at ${Math.round(x)}, ${Math.round(y)}`
  const top = document.elementFromPoint(x, y)
  if (top && !at.contains(top) && !top.contains(at) && !at.labels?.length) return `${what} is covered by ${top.outerHTML.slice(0, 80)}`

  // A search puts the ring around the whole of its box.
  const ringed = [at, at.closest('[role=search]')].find((node) => node && getComputedStyle(node).outlineStyle !== 'none')
  if (!ringed) return `${what} doesn't show that it has the focus`
  const ring = getComputedStyle(ringed)
  if (parseFloat(ring.outlineWidth) < 2) return `the ring of ${what} is thin: ${ring.outlineWidth}`

  const parse = (text) => [...text.matchAll(/rgba?\(([^)]+)\)/g)].map((found) => found[1].split(/[ ,/]+/).map(Number))
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const contrast = (one, other) => (Math.max(light(one), light(other)) + 0.05) / (Math.min(light(one), light(other)) + 0.05)
  // The ring is drawn outside, on the ground of what lies around.
  for (let node = ringed.parentElement; node; node = node.parentElement) {
    const { backgroundColor, backgroundImage } = getComputedStyle(node)
    const grounds = [...parse(backgroundImage), ...parse(backgroundColor)].filter((colour) => (colour[3] ?? 1) > 0.9)
    if (grounds.length === 0) continue
    const least = Math.min(...grounds.map((ground) => contrast(parse(ring.outlineColor)[0], ground)))
    return least < contrastMin ? `the ring of ${what} stands out by ${least.toFixed(2)} only` : undefined
  }
  return undefined
}
