// Everything that opens, open: dialogs, panels, menus, what unfolds and the tour, in Chinese, in English and in
// elder mode. Dialogs close by Escape and give the focus back to what opened them.

import { check, until } from '../support/check.mjs'
import { settled, signIn } from '../support/portal.mjs'
import { OPENINGS, openingsOfPortal } from '../support/openings.mjs'
import { asItIs } from '../support/states.mjs'

export const title = 'everything that opens'
export const county = 'lively'
/** What a page looks like doesn't depend on the registry. */
export const engines = ['SQLite']
/** One that doesn't open says nothing about the next. */
export const independent = true

const TOUR = '十步看懂'
const TOUR_STEPS = 10

async function personsPage(world, login) {
  world.notes.signedIn ??= new Set()
  if (world.notes.signedIn.has(login)) return world.page(login)
  world.notes.signedIn.add(login)
  return signIn(world, login)
}

async function elder(page, on) {
  await page.evaluate((value) => (document.documentElement.dataset.elder = value), String(on))
}

function openAndLook(component, { who, at, given, open, shows, unfolded = false, fromPage = false, close, codes = false }) {
  return async (world) => {
    const page = await personsPage(world, who)
    await given?.(page)
    await page.goto(typeof at === 'string' ? at : await at(page))
    await settled(page)
    await open(page)
    const opened = shows?.(page) ?? (unfolded ? page.locator('details[open]') : page.getByRole('dialog'))
    await opened.first().waitFor()
    await settled(page)

    const name = component.replace(/^.*\/|\.vue$/g, '')
    const look = { rawCodes: codes, whole: false }
    await world.look(page, `${name} open`, look)
    await elder(page, true)
    await world.look(page, `${name} open, elder mode`, look)
    await elder(page, false)

    if (close) await close(page, world)
    else if (!unfolded) {
      await page.keyboard.press('Escape')
      await opened.first().waitFor({ state: 'hidden' })
      // A pointer's press puts the focus on what it presses; without one the page's content has it.
      const home = fromPage ? 'main' : 'button, a'
      await until(() => page.evaluate((place) => document.activeElement.matches(place), home), `the focus is lost when ${name} closes`)
    }
    await asItIs(page)
  }
}

export const steps = {
  'every component that opens something has its place in this story': async () => {
    const found = await openingsOfPortal()
    const missing = found.filter((file) => !(file in OPENINGS))
    check(missing.length === 0, `not opened: ${missing.join(' ')}`)
    const gone = Object.keys(OPENINGS).filter((file) => !found.includes(file))
    check(gone.length === 0, `opened, but not there: ${gone.join(' ')}`)
  },
  ...Object.fromEntries(Object.entries(OPENINGS).map(([component, how]) => [`${component} opens`, openAndLook(component, how)])),
  'every step of the tour is sound': async (world) => {
    const page = await personsPage(world, 'minzheng')
    await page.goto('/')
    await settled(page)
    await page.getByRole('button', { name: TOUR }).click()
    const tour = page.getByRole('complementary', { name: TOUR })
    for (let step = 1; step <= TOUR_STEPS; step += 1) {
      await tour.getByRole('button', { name: new RegExp(`^第 ${step} 步`) }).and(page.locator('[aria-current=step]')).waitFor()
      await world.look(page, `tour, step ${step}`, { whole: false })
      await elder(page, true)
      await world.look(page, `tour, step ${step}, elder mode`, { whole: false })
      await elder(page, false)
      if (step < TOUR_STEPS) await tour.getByRole('button', { name: '下一步' }).click()
    }
    await tour.getByRole('button', { name: '看完了' }).click()
    await tour.waitFor({ state: 'detached' })
  },
}
