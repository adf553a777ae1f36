// What a story has at hand: the program, and one browser session per person.

import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { pageFaults } from './page-faults.mjs'

const VIEWPORT = { width: 1366, height: 768 }
const WAIT_MS_MAX = 20_000

export class World {
  #browser
  #seen = new Set()
  #sessions = new Map()
  #errors = []
  #views = []
  #pictures

  constructor(browser, program, pictures) {
    this.#browser = browser
    this.program = program
    this.#pictures = pictures
    /** For what one step finds and a later one needs. */
    this.notes = {}
  }

  /** The page of a person, in a session that nobody else shares; opened on first use. */
  async page(person) {
    if (!this.#sessions.has(person)) {
      const context = await this.#browser.newContext({ baseURL: this.program.address, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', viewport: VIEWPORT, acceptDownloads: true })
      const page = await context.newPage()
      page.setDefaultTimeout(WAIT_MS_MAX)
      page.on('pageerror', (error) => this.#errors.push(`${person}: ${error.message}`))
      page.on('console', (message) => {
        if (message.type() === 'error' && !isGuestsAnswer(message)) this.#errors.push(`${person}: ${message.text()}`)
      })
      this.#sessions.set(person, page)
    }
    return this.#sessions.get(person)
  }

  /** For an act that the server refuses on purpose: the one line that the console has for it, and no other. */
  expectRefusal(status) {
    const at = this.#errors.findIndex((error) => error.includes(`status of ${status}`))
    if (at < 0) throw new Error(`nothing was refused with ${status}:\n${this.#errors.join('\n')}`)
    this.#errors.splice(at, 1)
  }

  /** The same for a page whose every question is refused with this status: one line or more. */
  expectRefusals(status) {
    this.expectRefusal(status)
    this.#errors = this.#errors.filter((error) => !error.includes(`status of ${status}`))
  }

  failOnPageErrors() {
    const errors = this.#errors.splice(0)
    if (errors.length > 0) throw new Error(`the console is not clean:\n${errors.join('\n')}`)
  }

  /** Looks a page over as it now is, dialogs and panels included, and keeps a picture under this name: of the `whole` page or of what the window shows. */
  async look(page, name, { whole = true, ...options } = {}) {
    this.#seen.add(routeOf(page.url()))
    await mkdir(this.#pictures, { recursive: true })
    const picture = `${String(this.#views.length + 1).padStart(2, '0')} ${name}.png`
    this.#views.push({ name, faults: await pageFaults(page, options), reported: false })
    await page.screenshot({ path: path.join(this.#pictures, picture), fullPage: whole })
  }

  /** What was looked over since this was last asked. */
  newViews() {
    const fresh = this.#views.filter((view) => !view.reported)
    for (const view of fresh) view.reported = true
    return fresh
  }

  /** Routes that are open now and were not met before, with their pages. */
  unseenRoutes() {
    const found = []
    for (const page of this.#sessions.values()) {
      const route = routeOf(page.url())
      if (route !== undefined && !this.#seen.has(route)) {
        this.#seen.add(route)
        found.push([route, page])
      }
    }
    return found
  }

  /** A picture of every open page, for the person who looks for the fault. */
  async keepPictures(step) {
    await mkdir(this.#pictures, { recursive: true })
    for (const [person, page] of this.#sessions) {
      const file = `FAILED ${step} - ${person}.png`.replaceAll(/[/\\:]/g, '_')
      await page.screenshot({ path: path.join(this.#pictures, file), fullPage: true }).catch((error) => console.log(`    no picture: ${error.message}`))
    }
  }

  async close() {
    for (const page of this.#sessions.values()) await page.context().close()
  }
}

/** The portal asks who is there; for somebody not signed in the answer is 401, and Chromium writes that down. */
function isGuestsAnswer(message) {
  return message.text().includes('status of 401') && message.location().url.endsWith('/api/v1/session')
}

/** The path of an address with ids taken out, so that each kind of page is met once. */
export function routeOf(address) {
  if (!address.startsWith('http')) return undefined
  return new URL(address).pathname.replaceAll(/\/(?=[^/]*\d)[^/]+/g, '/:id')
}
