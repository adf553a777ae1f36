// The portal for whoever reads English: every route opened anew, with no text of the other language loaded before.

import { check } from '../support/check.mjs'
import { settled, signIn } from '../support/portal.mjs'
import { mergeDemands, ROUTES } from '../support/routes.mjs'

export const title = 'every route in English'
export const county = 'lively'
/** What a page looks like doesn't depend on the registry. */
export const engines = ['SQLite']
/** One route that fails says nothing about the next. */
export const independent = true

/** Sentences that the portal makes of what the server tells. */
const SAID = { '/desk?tab=notices': /has been decided/ }
/** Beside the first tab: these have texts of their own. */
const TABS = {
  '/desk?tab=mine': 'minzheng',
  '/desk?tab=settled': 'minzheng',
  '/desk?tab=notices': 'minzheng',
  '/admin?tab=people': 'xitong',
  '/admin?tab=stores': 'xitong',
  '/admin?tab=roles': 'xitong',
  '/admin?tab=gaps': 'xitong',
  '/desk/supervision?tab=duties': 'zhuguan',
  '/desk/supervision?tab=lamps': 'zhuguan',
  '/desk/supervision?tab=usage': 'zhuguan',
  '/demand?tab=lists': 'zhuguan',
  '/demand?tab=upward': 'zhuguan',
  '/demand?tab=responsibility': 'zhuguan',
}
const LARGE = { width: 1920, height: 1080 }
const OFFICE = { width: 1366, height: 768 }

async function personsPage(world, login) {
  world.notes.readers ??= new Set()
  const page = await world.page(login)
  if (!world.notes.readers.has(login)) {
    world.notes.readers.add(login)
    if (login === 'guest') await page.goto('/a11y')
    else await signIn(world, login)
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('button', { name: '中文' }).waitFor()
  }
  return page
}

/** The Chinese names that the regulation in force gives its processes and steps, as an officer may ask for them. */
async function lawNames(page) {
  const address = new URL('/api/v1/processes', page.url()).href
  const reply = await page.request.get(address, { headers: { 'Accept-Language': 'zh-CN' } })
  if (!reply.ok()) return []
  const { items } = await reply.json()
  return [...new Set(items.flatMap((process) => [process.name, ...process.steps]))]
}

function walk(route, { who, at, says, codes = false }) {
  return async (world) => {
    const page = await personsPage(world, who)
    const address = await at(page)
    check(address !== undefined, `the demo has nothing that ${route} could show`)
    await page.goto(address)
    await settled(page)
    await page.getByText('Loading').first().waitFor({ state: 'detached' })
    check((await page.locator('html').getAttribute('lang')) === 'en', `${route} is not in English`)
    if (says) await page.getByText(says).first().waitFor()
    const name = route.replaceAll(/[/?]/g, ' ').trim() || 'home'
    await world.look(page, name, { rawCodes: codes, spokenOnly: true })
    const wrong = await page.evaluate(cutTexts)
    check(wrong.length === 0, `texts that don't fit: ${wrong.join(', ')}`)
    world.notes.lawNames ??= {}
    const names = (world.notes.lawNames[who] ??= await lawNames(page))
    check(who === 'guest' || names.length > 20, `the regulation names ${names.length} things`)
    const chinese = await page.evaluate(chineseNames, names)
    check(chinese.length === 0, `names of the regulation in Chinese: ${chinese.join(', ')}`)
    await page.setViewportSize(LARGE)
    await world.look(page, `${name}, large screen`, { rawCodes: codes, spokenOnly: true })
    await page.setViewportSize(OFFICE)
  }
}

/** Runs in the page: controls and headings whose words reach beyond their box. */
function cutTexts() {
  const controls = [...document.querySelectorAll('button, a.btn, label, h1, h2, h3, th, legend, [role=tab]')]
  return controls.filter((node) => node.clientWidth > 1 && node.scrollWidth > node.clientWidth + 1).map((node) => node.textContent.trim().slice(0, 40))
}

/** Runs in the page: texts of which one of these names is a part, unless they say themselves that they are Chinese. */
function chineseNames(names) {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const found = []
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim()
    const isMarked = texts.currentNode.parentElement.closest('[lang]').lang === 'zh-CN'
    const parts = text.split(/[·→:：,，、()（）“”]/).map((part) => part.trim())
    if (!isMarked && names.some((name) => parts.includes(name))) found.push(text.slice(0, 60))
  }
  return found
}

const routes = Object.entries(ROUTES).map(([route, how]) => [route, how.guest ? { ...how, who: 'guest' } : how])
const tabs = Object.entries(TABS).map(([address, who]) => [address, { who, at: () => address, says: SAID[address] }])

export const steps = {
  'the demands are merged': async (world) => mergeDemands(await personsPage(world, 'minzheng'), await personsPage(world, 'zhuguan')),
  ...Object.fromEntries([...routes, ...tabs].map(([route, how]) => [`${route} is in English`, walk(route, how)])),
}
