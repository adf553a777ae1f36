// No mouse: an officer finds an entry, asks for it, takes it back and asks again; the provider decides. All by
// Tab, arrows, Enter, Space, Escape and the portal's own keys, with the focus in sight at every stop.

import { check, checkEqual, until } from '../support/check.mjs'
import { Keyboard } from '../support/keyboard.mjs'
import { card, rowOf } from '../support/portal.mjs'

const REQUESTER = 'minzheng'
const PROVIDER = 'zhujian'
const ENTRY = '公租房保障对象信息'
const PURPOSE = '低保对象住房保障情况核验'
const OPINION = '同意，请按最小够用使用。'
/** Somebody who looks for each key needs a second and a half for it; a request has to be filed in two minutes. */
const SLOW_PRESS_S = 1.5
const FILED_S_MAX = 120

export const title = 'by keyboard alone'
export const pack = 'yunxi-grants'
export const undoMinutes = 10

export const steps = {
  'an officer signs in': async (world) => {
    const { page } = await signInByKeys(world, REQUESTER)
    await world.look(page, 'signed in by keyboard')
  },

  'the keys are listed, and can be switched off and on': async (world) => {
    const { page, keys } = hands(world, REQUESTER)
    await page.reload()
    const search = page.getByRole('searchbox')
    await search.waitFor()
    await keys.goTo(page.getByRole('button', { name: '长者模式' }))
    await keys.press('?')
    const list = page.getByRole('dialog', { name: '快捷键' })
    await list.waitFor()
    await world.look(page, 'list of keys')
    const on = list.getByRole('checkbox')
    await keys.use(on, { key: 'Space' })
    await closeByEscape(keys, list)
    await keys.checkFocus(page.getByRole('button', { name: '长者模式' }), 'the list of keys being closed')
    await keys.press('/')
    check(!(await search.evaluate((node) => node === document.activeElement)), 'the keys that are switched off work')
    await keys.press('?')
    await keys.use(on, { key: 'Space' })
    await closeByEscape(keys, list)
    await keys.press('/')
    await keys.checkFocus(search, 'after “/”')
  },

  'the menu of the person opens, and Escape gives the focus back': async (world) => {
    const { page, keys } = hands(world, REQUESTER)
    const opener = page.getByRole('banner').getByRole('button', { name: / · / })
    await keys.use(opener, { back: true })
    const leave = page.getByRole('button', { name: '退出登录' })
    await keys.goTo(leave)
    await world.look(page, 'menu of the person, by keyboard')
    await keys.press('Escape')
    await leave.waitFor({ state: 'hidden' })
    await keys.checkFocus(opener, 'the menu being closed')
  },

  'an entry is found by the initials of its name, and asked for': async (world) => {
    const { page, keys } = hands(world, REQUESTER)
    keys.takePresses()
    const began = Date.now()
    await keys.press('/')
    await keys.type('gzf')
    await keys.press('Enter')
    const hit = page.getByRole('region', { name: '搜索结果' }).getByRole('link', { name: ENTRY, exact: true })
    await hit.waitFor()
    await keys.press('j')
    await keys.checkFocus(hit, 'after “J”')
    await keys.checkStop()
    await keys.press('Enter')
    await page.getByRole('heading', { name: ENTRY, level: 1 }).waitFor()
    await keys.use(page.getByRole('link', { name: /^申请使用/ }))
    await page.getByRole('heading', { name: '申请数据', level: 1 }).waitFor()
    await keys.use(page.getByRole('checkbox', { name: '全选' }), { key: 'Space' })
    await keys.choose(page.getByLabel('用途类别'), '数据校核')
    await keys.fill(page.getByLabel('使用用途'), PURPOSE)
    await keys.fill(page.getByLabel('履职依据'), '社会救助审核确认')
    await keys.fill(page.getByLabel('应用系统'), '社会救助系统')
    await world.look(page, 'request form, filled in by keyboard')
    await submit(page, keys)
    const [presses, seconds] = [keys.takePresses(), (Date.now() - began) / 1000]
    console.log(`# a request by keyboard: ${presses} presses, ${seconds.toFixed(1)} s by script, ${Math.round(presses * SLOW_PRESS_S)} s at ${SLOW_PRESS_S} s a press`)
    check(presses * SLOW_PRESS_S <= FILED_S_MAX, `${presses} presses are too many for ${FILED_S_MAX} s`)
  },

  'what was sent by mistake is taken back, and the focus is not lost': async (world) => {
    const { page, keys } = hands(world, REQUESTER)
    await world.look(page, 'request that can be taken back')
    await keys.use(page.getByRole('button', { name: '立即撤回（不留痕）' }))
    await putAway(page, keys, /撤回/)
    await keys.use(page.getByRole('link', { name: '再次申请' }))
    await page.getByRole('heading', { name: '申请数据', level: 1 }).waitFor()
  },

  'asked again, a few presses are enough': async (world) => {
    const { page, keys } = hands(world, REQUESTER)
    checkEqual(await page.getByLabel('使用用途').inputValue(), PURPOSE, 'the purpose of last time')
    keys.takePresses()
    await submit(page, keys)
    console.log(`# a request again by keyboard: ${keys.takePresses()} presses`)
  },

  'the next day comes by keyboard, and brings the case to the provider': async (world) => {
    const { page, keys } = hands(world, REQUESTER)
    await keys.use(page.getByRole('button', { name: '推进一天' }), { back: true })
    await putAway(page, keys, /^演示时钟已到/)
    const provider = await signInByKeys(world, PROVIDER)
    await provider.keys.press('g', 'd')
    await provider.page.getByRole('tab', { name: /^待办/ }).waitFor()
    await until(async () => {
      if (await rowOf(provider.page, '待办', ENTRY).count()) return true
      await provider.page.reload()
      await provider.page.getByRole('tab', { name: /^待办/ }).waitFor()
      return false
    }, 'the case is not on the desk')
  },

  'withdrawing asks first: Escape leaves all as it was': async (world) => {
    const { page, keys } = hands(world, REQUESTER)
    const opener = page.getByRole('button', { name: '撤回申请' })
    await keys.use(opener)
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    await keys.checkStop()
    await keys.fill(dialog.getByRole('textbox'), '想一想')
    await world.look(page, 'withdrawing by keyboard')
    await closeByEscape(keys, dialog)
    await keys.checkFocus(opener, 'the dialog being closed')
    await page.getByRole('list', { name: '办理过程' }).waitFor()
  },

  'arrows lead through the tabs of the desk': async (world) => {
    const { page, keys } = hands(world, PROVIDER)
    await keys.goTo(page.getByRole('tab', { name: /^待办/ }))
    await keys.press('ArrowRight')
    await keys.checkFocus(page.getByRole('tab', { name: /^我提交的申请/ }), 'after the right arrow')
    await keys.press('End')
    await keys.checkFocus(page.getByRole('tab', { name: /^消息/ }), 'after End')
    await keys.press('Home')
    await keys.checkFocus(page.getByRole('tab', { name: /^待办/ }), 'after Home')
    await keys.checkStop()
  },

  'the provider opens the case beside, closes it and is where it was': async (world) => {
    const { page, keys } = hands(world, PROVIDER)
    const opener = rowOf(page, '待办', ENTRY).getByRole('button', { name: /^办理 / })
    await keys.use(opener)
    const panel = page.getByRole('complementary', { name: '办理' })
    await keys.goTo(panel.getByLabel('审批意见'))
    await keys.press('Escape')
    await panel.waitFor({ state: 'detached' })
    await keys.checkFocus(opener, 'the panel being closed')
  },

  'the provider decides, and is told so': async (world) => {
    const { page, keys } = hands(world, PROVIDER)
    keys.takePresses()
    await keys.press('Enter')
    const panel = page.getByRole('complementary', { name: '办理' })
    await keys.fill(panel.getByLabel('审批意见'), OPINION)
    await world.look(page, 'deciding by keyboard')
    await keys.use(panel.getByRole('button', { name: '同意并授权' }))
    await page.getByRole('status').getByText('已同意，授权已开通').waitFor()
    console.log(`# a decision by keyboard: ${keys.takePresses()} presses, ${[...OPINION].length} of them its opinion`)
    await panel.waitFor({ state: 'detached' })
    await until(() => page.getByRole('main').evaluate((main) => main === document.activeElement), 'the focus is lost with the row of the case')
    await putAway(page, keys, '已同意，授权已开通')
    await keys.goTo(page.getByRole('tab', { name: /^待办/ }))
  },

  'the requester states a demand for what nobody offers': async (world) => {
    const { page, keys } = hands(world, REQUESTER)
    await keys.press('g', 'c')
    await page.getByRole('article').first().waitFor()
    await keys.press('/')
    await keys.type('qzzqzz')
    await keys.use(page.getByRole('link', { name: '提出数据需求' }))
    await page.getByRole('heading', { name: '提出数据需求', level: 1 }).waitFor()
    await keys.fill(page.getByLabel('所需内容和字段'), '参保人的缴费月数和缴费基数，每月更新')
    await keys.fill(page.getByLabel(/^用途/), '救助对象核对')
    await keys.fill(page.getByLabel('职责依据'), '社会救助审核确认')
    await keys.choose(page.getByLabel('资源层级'), '市级')
    await world.look(page, 'demand by keyboard')
    await keys.use(page.getByRole('button', { name: '提交需求' }))
    await putAway(page, keys, '需求已提交')
    await card(page, '需求内容').waitFor()
    await world.look(page, 'demand stated by keyboard')
  },

  'no mouse was used': (world) => {
    for (const { keys } of Object.values(world.notes.hands)) keys.checkNoMouse()
  },
}

function hands(world, login) {
  return world.notes.hands[login]
}

async function signInByKeys(world, login) {
  const { password, person, department } = world.program.account(login)
  const page = await world.page(login)
  const keys = await Keyboard.of(page)
  world.notes.hands ??= {}
  world.notes.hands[login] = { page, keys }
  await page.goto('/')
  await page.getByRole('heading', { name: '登录', level: 1 }).waitFor()
  await keys.fill(page.getByLabel('登录名'), login)
  await keys.fill(page.getByLabel('密码'), password)
  await keys.press('Enter')
  await page.getByRole('button', { name: `${department} · ${person}` }).waitFor()
  return { page, keys }
}

async function submit(page, keys) {
  await keys.use(page.getByRole('checkbox', { name: /^以上内容属实/ }), { key: 'Space' })
  await keys.use(page.getByRole('button', { name: '提交申请' }))
  await putAway(page, keys, /^已提交，申请编号/)
  await page.getByRole('heading', { name: ENTRY, level: 1 }).waitFor()
  await page.getByRole('list', { name: '办理过程' }).waitFor()
}

/** Reads a confirmation, which lies over a corner of the page, and puts it away. */
async function putAway(page, keys, sentence) {
  const toast = page.getByRole('status').getByRole('paragraph').filter({ hasText: sentence })
  await toast.waitFor()
  await keys.press('Escape')
  await toast.waitFor({ state: 'detached' })
}

async function closeByEscape(keys, dialog) {
  await keys.press('Escape')
  await dialog.waitFor({ state: 'detached' })
}
