// Every route in every state: as it is, in elder mode, zoomed, on a large screen, loading, broken, empty, without
// a right to it, and with the worst names and numbers that a server could send; and the frame that stands there before.

import { check } from '../support/check.mjs'
import { settled, signIn } from '../support/portal.mjs'
import { mergeDemands, pathsOfPortal, ROUTES } from '../support/routes.mjs'
import { asItIs, broken, empty, hostile, unanswered } from '../support/states.mjs'

export const title = 'every route in every state'
export const county = 'lively'
/** What a page looks like doesn't depend on the registry. */
export const engines = ['SQLite']

/** What an office computer shows; twice the size of type leaves half of it. */
const OFFICE = { width: 1366, height: 768 }
const ZOOMED = { width: 683, height: 384 }
const LARGE = { width: 1920, height: 1080 }
/** Long enough for a page that waits for its answers to have drawn that it does. */
const DRAWN_MS = 600

async function elder(page, on) {
  await page.evaluate((value) => (document.documentElement.dataset.elder = value), String(on))
}

async function open(page, address, { settles = true } = {}) {
  await page.goto(address)
  if (settles) await settled(page)
  else await page.waitForTimeout(DRAWN_MS)
}

/** A page that asks again by itself would be refused again later on. */
async function leave(page) {
  await page.goto('about:blank')
}

async function inBothModes(world, page, name, options) {
  await world.look(page, name, options)
  await elder(page, true)
  await world.look(page, `${name}, elder mode`, options)
  await elder(page, false)
}

function walk(route, { who, guest, at, stranger, codes = false }) {
  return async (world) => {
    const page = guest ? await world.page('guest') : await personsPage(world, who)
    const address = await at(page)
    check(address !== undefined, `the demo has nothing that ${route} could show`)
    const name = route.replaceAll('/', ' ').trim() || 'home'
    const look = { rawCodes: codes }

    await open(page, address)
    await inBothModes(world, page, name, look)
    await page.setViewportSize(ZOOMED)
    await world.look(page, `${name}, zoomed`, look)
    await page.setViewportSize(LARGE)
    await world.look(page, `${name}, large screen`, look)
    await page.setViewportSize(OFFICE)
    // Pages before the door ask the server nothing that could be late, broken or hostile.
    if (guest) return

    await unanswered(page)
    await open(page, address, { settles: false })
    await inBothModes(world, page, `${name}, loading`, look)
    await asItIs(page)

    await broken(page)
    await open(page, address, { settles: false })
    await inBothModes(world, page, `${name}, broken`, look)
    await leave(page)
    world.expectRefusals(500)
    await asItIs(page)

    await empty(page)
    await open(page, address)
    await inBothModes(world, page, `${name}, empty`, look)
    await asItIs(page)

    page.once('dialog', (dialog) => dialog.dismiss().then(() => (world.notes.ranMarkup = route)))
    await hostile(page)
    await open(page, address)
    await inBothModes(world, page, `${name}, hostile`, { rawCodes: true, whole: false })
    await asItIs(page)
    check(world.notes.ranMarkup === undefined, `markup in a name ran on ${route}`)
    check((await page.locator('img[src="x"]').count()) === 0, 'markup in a name became part of the page')

    if (stranger) {
      const theirs = await personsPage(world, stranger)
      await open(theirs, address, { settles: false })
      await settled(theirs)
      await theirs.getByRole('alert').first().waitFor()
      await inBothModes(world, theirs, `${name}, no right`, look)
      await leave(theirs)
      world.expectRefusals(403)
    }
  }
}

/** What stands there while the portal's own script is on its way, as each of its frames and in each way to read it. */
async function framed(world) {
  const frames = [
    ['tongji', '/desk'],
    ['tongji', '/'],
    ['tongji', '/screen'],
    ['guest', '/login'],
  ]
  for (const [person, address] of frames) {
    const page = person === 'guest' ? await world.page('guest') : await personsPage(world, person)
    await page.route(/\/assets\/portal-/, () => undefined)
    for (const [way, key, value] of [
      ['', 'tongqu.elder', 'false'],
      [', elder mode', 'tongqu.elder', 'true'],
      [', in English', 'tongqu.locale', 'en'],
    ]) {
      if (page.url().startsWith('http')) await page.evaluate(([key, value]) => localStorage.setItem(key, value), [key, value])
      // The page never ends loading.
      await page.goto(address, { waitUntil: 'commit' })
      await page.getByText(/云溪县政务数据共享交换平台/).filter({ visible: true }).waitFor()
      check((await page.getByRole('status').filter({ visible: true }).count()) === 1, `nothing says that ${address} is loading`)
      check((await page.getByRole('main').count()) === 0, `${address} is not the frame alone`)
      await world.look(page, `${address.replaceAll('/', ' ').trim() || 'home'}, frame${way}`)
    }
    await page.evaluate(() => ['tongqu.elder', 'tongqu.locale'].forEach((key) => localStorage.removeItem(key)))
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.goto(address)
    await settled(page)
  }
}

async function personsPage(world, login) {
  world.notes.signedIn ??= new Set()
  if (world.notes.signedIn.has(login)) return world.page(login)
  world.notes.signedIn.add(login)
  return signIn(world, login)
}

export const steps = {
  'every path of the portal has its place in this story': async () => {
    const missing = (await pathsOfPortal()).filter((path) => !(path in ROUTES))
    check(missing.length === 0, `not walked: ${missing.join(' ')}`)
  },
  'the demands are merged': async (world) => mergeDemands(await personsPage(world, 'minzheng'), await personsPage(world, 'zhuguan')),
  'the frame of a page stands before its script has arrived': framed,
  ...Object.fromEntries(Object.entries(ROUTES).map(([route, how]) => [`${route} stands every state`, walk(route, how)])),
}

/** One route that fails says nothing about the next. */
export const independent = true
