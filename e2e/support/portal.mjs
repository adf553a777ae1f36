// What everybody does in the portal, by what is to be read on it.

import { check, checkEqual, until } from './check.mjs'

/** How long a run over the whole table may take on a busy machine. */
const RUN_MS_MAX = 120_000

/** The main menu, by its words; done when the menu marks the page as the one that is open. */
export async function openMenu(page, name) {
  const link = page.getByRole('navigation', { name: '主导航' }).getByRole('link', { name, exact: true })
  await link.click()
  await until(async () => (await link.getAttribute('aria-current')) === 'page', `${name} is not the open page`)
}

/** Opens a page of the menu as it is now: what others have just done is not fetched for some seconds. */
export async function openAnew(page, name) {
  await openMenu(page, name)
  await page.reload()
}

/** Waits until the page has its heading and no card of it is still loading; each says so by itself. */
export async function settled(page) {
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await until(async () => (await page.getByText('正在加载').count()) === 0, 'the page is still loading')
}

/** Signs a person in at the door; afterwards the header bears the person's name. */
export async function signIn(world, login) {
  const { password, person, department } = world.program.account(login)
  const page = await world.page(login)
  await page.goto('/')
  await page.getByLabel('登录名').fill(login)
  await page.getByLabel('密码').fill(password)
  await page.getByRole('button', { name: '登录', exact: true }).click()
  await page.getByRole('button', { name: `${department} · ${person}` }).waitFor()
  return page
}

/** Waits for the short confirmation that an act had its effect, and puts it away. */
export async function confirmation(page, sentence) {
  const toast = page.getByRole('status').getByRole('paragraph').filter({ hasText: sentence })
  await toast.waitFor()
  await toast.getByRole('button', { name: '关闭' }).click()
  await toast.waitFor({ state: 'detached' })
}

/** Moves the demo's clock on, day by day, to a date. */
export async function moveClockTo(page, date) {
  const today = () => page.getByRole('banner').getByText(/^\d{4}-\d{2}-\d{2}$/)
  for (let day = await today().textContent(); day !== date; day = await today().textContent()) {
    check(day < date, `the clock is past ${date}: ${day}`)
    const next = dayAfter(day)
    await page.getByRole('button', { name: '推进一天' }).click()
    await today().and(page.getByText(next)).waitFor()
    await confirmation(page, `演示时钟已到 ${next}`)
  }
}

/** Looks a page over as most people see it, then in English, then in elder mode, and leaves it as it was. */
export async function lookInEveryMode(world, page, name) {
  const header = page.getByRole('banner')
  await world.look(page, name)
  await header.getByRole('button', { name: 'English' }).click()
  await header.getByRole('button', { name: '中文' }).waitFor()
  await world.look(page, `${name}, in English`, { spokenOnly: true })
  await header.getByRole('button', { name: '中文' }).click()
  await header.getByRole('button', { name: '长者模式' }).click()
  await world.look(page, `${name}, elder mode`)
  await header.getByRole('button', { name: '标准模式' }).click()
  await header.getByRole('button', { name: '长者模式' }).waitFor()
}

/** The row of a table that has this header or text. */
export function rowOf(page, table, text) {
  return page.getByRole('table', { name: table }).getByRole('row').filter({ hasText: text })
}

/** The runs of an entry in the list, of one kind (汇聚 or 交付), the newest first. */
export function runsOf(page, entry, kind) {
  return rowOf(page, '交换监测', entry).filter({ has: page.getByRole('cell', { name: kind, exact: true }) })
}

/** Waits for the newest run of an entry, the nth of its kind, to end well, and opens it. */
export async function openRun(page, entry, kind, nth = 1) {
  const runs = runsOf(page, entry, kind)
  await runs.nth(nth - 1).waitFor({ timeout: RUN_MS_MAX })
  await runs.first().getByText('成功').waitFor({ timeout: RUN_MS_MAX })
  await runs.first().getByRole('link', { name: entry }).click()
  await page.getByRole('heading', { name: entry, level: 1 }).waitFor()
}

/** The facts shown in a card: what stands under each term. */
export async function factsOf(scope) {
  await scope.getByRole('term').first().waitFor()
  const terms = await scope.getByRole('term').allInnerTexts()
  const values = await scope.getByRole('definition').allInnerTexts()
  return Object.fromEntries(terms.map((term, at) => [term.replace(/^[=+]\s*/, '').trim(), values[at].trim()]))
}

/** A field says by itself that it is at fault, and what to do; readers of the screen hear it there. */
export async function checkFaultAt(field) {
  checkEqual(await field.getAttribute('aria-invalid'), 'true', 'the mark of a fault on the field')
  const description = await field.evaluate((node) => {
    const ids = node.getAttribute('aria-describedby')?.split(' ') ?? []
    return ids.map((id) => document.getElementById(id)?.textContent.trim() ?? '').join(' ')
  })
  check(/请|须/.test(description), `the field doesn't say what to do: “${description}”`)
}

/** What a dialog, a panel, a card or a page shows under a heading. */
export function card(page, heading) {
  return page.getByRole('region', { name: heading, exact: true })
}

function dayAfter(date) {
  return new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10)
}
