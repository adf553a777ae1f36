// Found and asked for: an entry that lies open to all.

import { check, checkEqual } from '../../support/check.mjs'
import { card, confirmation, factsOf, moveClockTo, openAnew, openRun, rowOf } from '../../support/portal.mjs'
import { CIVIL_AFFAIRS, OPEN_ENTRY, OPERATOR } from './county.mjs'

export const find = {
  'a search from the keyboard finds the entry with its hit marked': async (world) => {
    const page = await world.page(CIVIL_AFFAIRS)
    await moveClockTo(page, '2026-09-28')
    await openAnew(page, '首页')
    await world.look(page, 'home of a requester')
    await page.keyboard.press('/')
    await page.keyboard.type('行政区划')
    await page.keyboard.press('Enter')
    const results = page.getByRole('region', { name: '搜索结果' })
    await results.getByRole('heading', { name: OPEN_ENTRY }).getByRole('mark').filter({ hasText: '行政区划' }).waitFor()
    await world.look(page, 'search results')
    await page.keyboard.press('j')
    await world.look(page, 'search results, the first chosen by key')
    await results.getByRole('link', { name: OPEN_ENTRY, exact: true }).click()
    await page.getByRole('heading', { name: OPEN_ENTRY, level: 1 }).waitFor()
  },

  'its page promises the dates before anything is asked': async (world) => {
    const page = await world.page(CIVIL_AFFAIRS)
    const promises = page.getByRole('list', { name: '承诺时限' })
    await promises.getByText('2026-09-28').waitFor()
    await promises.getByText('最晚 2026-10-08（3 个工作日）').waitFor()
    await page.getByRole('tab', { name: /^版本/ }).click()
    await page.getByRole('tabpanel').getByText('第 1 版').first().waitFor()
    await world.look(page, 'entry, its versions')
    await page.getByRole('tab', { name: /^使用情况/ }).click()
    await page.getByText('还没有部门使用这项数据').waitFor()
    await world.look(page, 'entry, its users')
    await page.getByRole('tab', { name: /^数据项/ }).click()
    check(await page.getByRole('checkbox', { name: '申请 区划代码' }).isDisabled(), 'the key can be left out')
    for (const item of ['村（社区）名称', '区县代码', '省份代码']) await page.getByRole('checkbox', { name: `申请 ${item}` }).check()
    await world.look(page, 'entry, its data items')
    await page.getByRole('link', { name: /^申请使用（/ }).click()
  },

  'four items, one province, purpose and duty make a request': async (world) => {
    const page = await world.page(CIVIL_AFFAIRS)
    await page.getByText('已选 4 个数据项').waitFor()
    await card(page, '承诺时限').getByText('最晚 2026-10-08（3 个工作日）').waitFor()
    await page.getByRole('checkbox', { name: /^以上内容属实/ }).check()
    await page.getByRole('button', { name: '提交申请' }).click()
    await page.getByRole('alert').first().waitFor()
    world.expectRefusal(422)
    await world.look(page, 'request form with what is missing')
    await limitToProvince(page)
    await page.getByLabel('用途类别').selectOption({ label: '数据校核' })
    await page.getByLabel('使用用途').fill('婚姻登记地址规范化核对')
    await page.getByLabel('履职依据').fill('婚姻登记管理')
    await page.getByLabel('应用系统').fill('婚姻登记系统')
    await page.getByLabel('使用期限').selectOption({ label: '12 个月' })
    await world.look(page, 'request form, filled in')
    await page.getByRole('button', { name: '提交申请' }).click()
    await confirmation(page, '已提交，申请编号')
    await page.getByRole('heading', { name: OPEN_ENTRY, level: 1 }).waitFor()
    await page.getByRole('list', { name: '办理过程' }).getByText('最晚 2026-10-08').waitFor()
    const grant = await factsOf(card(page, '授权'))
    checkEqual(grant['授权范围'], '省份代码 等于 41', 'the rows granted')
    check(grant['脱敏'].startsWith('村（社区）名称：'), `the masks granted: ${grant['脱敏']}`)
    await world.look(page, 'request on an open entry')
  },

  'the operator opens the delivery from the desk': async (world) => {
    const page = await world.page(OPERATOR)
    await openAnew(page, '我的工作台')
    const task = rowOf(page, '待办', OPEN_ENTRY)
    await task.getByText('剩 3 个工作日').waitFor()
    await task.getByText('2026-10-08').waitFor()
    await world.look(page, 'desk of the operator')
    await task.getByRole('button', { name: /^办理 / }).click()
    const panel = page.getByRole('complementary', { name: '办理' })
    await panel.getByRole('button', { name: '确认交付' }).waitFor()
    await world.look(page, 'desk of the operator, a case open')
    await panel.getByRole('button', { name: '确认交付' }).click()
    await confirmation(page, '已开始交付到民政局前置库的表 division_village')
  },

  'the run shows its counts and a receipt with equal digests': async (world) => {
    const page = await world.page(OPERATOR)
    await openAnew(page, '交换监测')
    await openRun(page, OPEN_ENTRY, '交付')
    await card(page, '条数对账').getByText('账实相符').waitFor()
    await equalReceipt(page, '授权范围内的全部行')
    await world.look(page, 'first delivery')
  },

  'the requester finds the request settled and the data arrived': async (world) => {
    const page = await world.page(CIVIL_AFFAIRS)
    await openAnew(page, '我的工作台')
    await page.getByRole('tab', { name: /^我提交的申请/ }).click()
    await rowOf(page, '我提交的申请', OPEN_ENTRY).getByText('已办结').waitFor()
    await world.look(page, 'own requests of the requester')
    await page.getByRole('tab', { name: /^消息/ }).click()
    await page.getByText(new RegExp(`《${OPEN_ENTRY}》.*已交付`)).waitFor()
    await world.look(page, 'notices of the requester')
  },
}

/** Adds the condition that the province is 41. */
export async function limitToProvince(page) {
  await page.getByRole('button', { name: '添加条件' }).click()
  const range = page.getByRole('group', { name: '数据范围' })
  await range.getByRole('combobox', { name: '数据项' }).selectOption({ label: '省份代码' })
  await range.getByRole('combobox', { name: '条件' }).selectOption({ label: '等于' })
  await range.getByRole('textbox', { name: '取值' }).fill('41')
}

/** The receipt says that both ends are equal, how far it reaches, and shows it. */
export async function equalReceipt(page, reach) {
  const receipt = card(page, '核对回执')
  await receipt.getByText('两端摘要一致').waitFor()
  const facts = await factsOf(receipt)
  check(/\d+:[0-9a-f]{64}$|^[0-9a-f]{64}$/.test(facts['发送摘要']), `no digest: ${facts['发送摘要']}`)
  checkEqual(facts['目标摘要'], facts['发送摘要'], 'the digest of the target')
  checkEqual(facts['核对范围'], reach, 'the reach of the receipt')
}
