// Asked of the provider: an entry shared on a condition, over the National Day holiday, refused once.

import { checkEqual } from '../../support/check.mjs'
import { card, checkFaultAt, confirmation, moveClockTo, openAnew, openMenu, rowOf } from '../../support/portal.mjs'
import { CIVIL_AFFAIRS, CONDITIONAL_ENTRY, STATISTICS } from './county.mjs'
import { limitToProvince } from './find.mjs'

const REFUSAL = '用途写得不具体，请说明用于哪项业务。'
const PURPOSE = '城乡低保对象居住地核对，按区县汇总。'

export const ask = {
  'a conditional entry is asked for on the eve of the holiday': async (world) => {
    const page = await world.page(CIVIL_AFFAIRS)
    await moveClockTo(page, '2026-09-29')
    await openForm(page)
    const promises = card(page, '承诺时限')
    await promises.getByText('最晚 2026-10-12（5 个工作日）').waitFor()
    await promises.getByText('最晚 2026-10-15（3 个工作日）').waitFor()
    await page.getByRole('checkbox', { name: '全选' }).check()
    await limitToProvince(page)
    await page.getByLabel('使用用途').fill('地址核对')
    await page.getByLabel('履职依据').fill('婚姻登记管理')
    await page.getByLabel('应用系统').fill('婚姻登记系统')
    await world.look(page, 'request form of a conditional entry')
    await send(page)
    await page.getByRole('list', { name: '办理过程' }).getByText('最晚 2026-10-12').waitFor()
    await world.look(page, 'request on a conditional entry')
  },

  'the provider sees its lamp and may not refuse in silence': async (world) => {
    const page = await world.page(STATISTICS)
    const panel = await openTask(page, '2026-10-12')
    await world.look(page, 'desk of the provider, a case open')
    await panel.getByRole('button', { name: '不同意' }).click()
    await panel.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(panel.getByLabel('审批意见'))
    await world.look(page, 'refusing without a reason')
  },

  'refused with a reason, which the requester reads': async (world) => {
    const provider = await world.page(STATISTICS)
    const panel = provider.getByRole('complementary', { name: '办理' })
    await panel.getByLabel('审批意见').fill(REFUSAL)
    await panel.getByRole('button', { name: '不同意' }).click()
    await confirmation(provider, '已答复不同意，理由已告知申请方')
    await world.look(provider, 'desk of the provider, refused')
    const requester = await world.page(CIVIL_AFFAIRS)
    await openAnew(requester, '我的工作台')
    await requester.getByRole('tab', { name: /^我提交的申请/ }).click()
    await rowOf(requester, '我提交的申请', CONDITIONAL_ENTRY).getByRole('button', { name: /^查看 / }).click()
    await requester.getByRole('complementary', { name: '办理' }).getByText(`理由：${REFUSAL}`).waitFor()
    await world.look(requester, 'desk of the requester, refused')
    await requester.getByRole('group', { name: '筛选申请' }).getByLabel('状态').selectOption('已结束')
    await rowOf(requester, '我提交的申请', CONDITIONAL_ENTRY).waitFor()
    const paper = requester.waitForEvent('download')
    await requester.getByRole('link', { name: '打印清单' }).click()
    checkEqual((await paper).suggestedFilename(), 'requests.pdf', 'the printed list')
  },

  'asked again, the form remembers the last time': async (world) => {
    const page = await world.page(CIVIL_AFFAIRS)
    await moveClockTo(page, '2026-09-30')
    await page.getByRole('link', { name: '再次申请' }).click()
    await page.getByRole('heading', { name: '申请数据', level: 1 }).waitFor()
    await page.getByText('已选 4 个数据项').waitFor()
    checkEqual(await page.getByRole('group', { name: '数据范围' }).getByRole('textbox', { name: '取值' }).inputValue(), '41', 'the condition of last time')
    checkEqual(await page.getByLabel('使用用途').inputValue(), '地址核对', 'the purpose of last time')
    checkEqual(await page.getByLabel('应用系统').inputValue(), '婚姻登记系统', 'the system of last time')
    await page.getByLabel('使用用途').fill(PURPOSE)
    await world.look(page, 'request form, asked again')
    await send(page)
    await page.getByRole('list', { name: '办理过程' }).getByText('最晚 2026-10-13').waitFor()
  },
}

/** Opens the case on the provider's desk, due on this day, in the side panel. */
export async function openTask(page, due) {
  await openAnew(page, '我的工作台')
  const task = rowOf(page, '待办', CONDITIONAL_ENTRY)
  await task.getByText(due).waitFor()
  await task.getByText(/^(剩 \d+ 个工作日|今日到期)$/).waitFor()
  await task.getByRole('button', { name: /^办理 / }).click()
  const panel = page.getByRole('complementary', { name: '办理' })
  await panel.getByLabel('审批意见').waitFor()
  return panel
}

async function openForm(page) {
  await openMenu(page, '数据目录')
  await page.getByLabel('在目录中搜索').fill('行政区划隶属')
  await page.getByText('命中 1 项').waitFor()
  await page.getByRole('link', { name: `申请 ${CONDITIONAL_ENTRY}` }).click()
  await page.getByRole('heading', { name: '申请数据', level: 1 }).waitFor()
}

async function send(page) {
  await page.getByRole('checkbox', { name: /^以上内容属实/ }).check()
  await page.getByRole('button', { name: '提交申请' }).click()
  await confirmation(page, '已提交，申请编号')
  await page.getByRole('heading', { name: CONDITIONAL_ENTRY, level: 1 }).waitFor()
}
