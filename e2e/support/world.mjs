// What a story has at hand: the program, and one browser session per person.

import { mkdir } from 'node:fs/promises'
import path from 'node:path'

const VIEWPORT = { width: 1366, height: 768 }

export class World {
  #browser
  #seen = new Set()
  #sessions = new Map()
  #errors = []

  constructor(browser, program) {
    this.#browser = browser
    this.program = program
    /** For what one step finds and a later one needs. */
    this.notes = {}
  }

  /** The page of a person, in a session that nobody else shares; opened on first use. */
  async page(person) {
    if (!this.#sessions.has(person)) {
      const context = await this.#browser.newContext({ baseURL: this.program.address, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', viewport: VIEWPORT, acceptDownloads: true })
      const page = await context.newPage()
      page.on('pageerror', (error) => this.#errors.push(`${person}: ${error.message}`))
      page.on('console', (message) => {
        if (message.type() === 'error') this.#errors.push(`${person}: ${message.text()}`)
      })
      this.#sessions.set(person, page)
    }
    return this.#sessions.get(person)
  }

  /** For a step that provokes an error on purpose: gives back what the console said so far and forgets it. */
  takePageErrors() {
    return this.#errors.splice(0)
  }

  failOnPageErrors() {
    const errors = this.takePageErrors()
    if (errors.length > 0) throw new Error(`the console is not clean:\n${errors.join('\n')}`)
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
  async keepPictures(folder, step) {
    await mkdir(folder, { recursive: true })
    for (const [person, page] of this.#sessions) {
      const file = `${step} - ${person}.png`.replaceAll(/[/\\:]/g, '_')
      await page.screenshot({ path: path.join(folder, file), fullPage: true }).catch((error) => console.log(`    no picture: ${error.message}`))
    }
  }

  async close() {
    for (const page of this.#sessions.values()) await page.context().close()
  }
}

/** The path of an address with ids taken out, so that each kind of page is met once. */
export function routeOf(address) {
  if (!address.startsWith('http')) return undefined
  return new URL(address).pathname.replaceAll(/\/(?=[^/]*\d)[^/]+/g, '/:id')
}
