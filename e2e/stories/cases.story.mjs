// Cases beside the main road: a doubt about data that its provider answers, and a dispute that is convened
// and escalated. On the way the pages on which everybody reads the law and its dates.

import { check, until } from '../support/check.mjs'
import { card, confirmation, openAnew, openMenu, rowOf, settled, signIn } from '../support/portal.mjs'

const REQUESTER = 'minzheng'
const PROVIDER = 'zhujian'
const AUTHORITY = 'zhuguan'
const ENTRY = '建筑业企业资质信息'
const DOUBT = '库表、文件数据疑义核查'
const DISPUTE = '共享争议'
const MATTER = '资质等级一项应否共享'

export const title = 'a doubt and a dispute'

export const steps = {
  'an officer reports a doubt where the data are read': async (world) => {
    const page = await signIn(world, REQUESTER)
    await openMenu(page, '数据目录')
    await page.getByRole('link', { name: ENTRY, exact: true }).click()
    await page.getByRole('link', { name: '反馈疑义' }).click()
    await page.getByRole('heading', { name: '发起办件', level: 1 }).waitFor()
    await page.getByRole('link', { name: DOUBT }).waitFor()
    await world.look(page, 'processes that answer a doubt')
    await page.getByRole('link', { name: DOUBT }).click()
    await page.getByRole('heading', { name: DOUBT, level: 1 }).waitFor()
    await card(page, '关于什么').getByText(ENTRY).waitFor()
    await world.look(page, 'form of a doubt')
    await page.getByRole('button', { name: '提交', exact: true }).click()
    await confirmation(page, '已登记，办件编号')
    await page.getByRole('heading', { name: ENTRY, level: 1 }).waitFor()
  },

  'the reporting step has its lamp, and is taken in words': async (world) => {
    const page = await world.page(REQUESTER)
    await page.getByRole('list', { name: '办理过程' }).getByText('最晚 2026-09-22').waitFor()
    const step = card(page, '反馈疑义')
    await step.getByText('剩 1 个工作日').waitFor()
    await step.getByLabel('办理意见').fill('三家企业的资质等级与发证机关公示不一致。')
    await world.look(page, 'case, the first step to take')
    await step.getByRole('button', { name: '确认办理' }).click()
    await confirmation(page, '已办理：反馈疑义')
    await page.getByRole('list', { name: '办理过程' }).getByText('卡在：云溪县住房和城乡建设局').waitFor()
  },

  'the clause of a date is read with the keyboard': async (world) => {
    const page = await world.page(REQUESTER)
    const clause = page.getByRole('list', { name: '办理过程' }).getByRole('button', { name: /依据/ }).last()
    await clause.focus()
    // Focus that comes from the keyboard shows the clause; a program's focus counts as such after a key.
    await page.keyboard.press('Shift')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Tab')
    await page.getByRole('tooltip').filter({ visible: true }).waitFor()
    await world.look(page, 'clause of a date')
    await page.keyboard.press('Escape')
    await until(async () => (await page.getByRole('tooltip').filter({ visible: true }).count()) === 0, 'Escape leaves the clause open')
  },

  'the provider finds it on the desk with its date, and answers': async (world) => {
    const page = await signIn(world, PROVIDER)
    await openAnew(page, '我的工作台')
    const task = rowOf(page, '待办', ENTRY)
    await task.getByText('2026-09-24').waitFor()
    await task.getByText('剩 3 个工作日').waitFor()
    await world.look(page, 'desk of the provider')
    await task.getByRole('link', { name: /^办理 / }).click()
    const step = card(page, '处理并答复')
    await step.getByLabel('办理意见').fill('已核查更正三家企业的资质等级。')
    await world.look(page, 'case, the answer to give')
    await step.getByRole('button', { name: '确认办理' }).click()
    await confirmation(page, '已办理：处理并答复')
    await page.getByRole('table', { name: '办理记录' }).getByText('已核查更正三家企业的资质等级。').waitFor()
    await world.look(page, 'case, answered')
  },

  'the reporter sees it done, in the case and in the list': async (world) => {
    const page = await world.page(REQUESTER)
    await page.getByRole('navigation', { name: '当前位置' }).getByRole('link', { name: '办件' }).click()
    await page.getByRole('heading', { name: '办件', level: 1 }).waitFor()
    await page.getByLabel('状态').selectOption({ label: '已结束' })
    await rowOf(page, '办件', ENTRY).getByText('已办结').waitFor()
    await world.look(page, 'cases, ended')
    check(page.url().includes('state=ended'), 'the filter is not in the address')
  },

  'a dispute is begun': async (world) => {
    const page = await world.page(REQUESTER)
    await page.getByRole('navigation', { name: '工作台' }).getByRole('link', { name: '发起办件' }).click()
    await world.look(page, 'everything that may be begun')
    await page.getByRole('link', { name: DISPUTE, exact: true }).click()
    await page.getByRole('searchbox', { name: '目录' }).fill('资质')
    await page.getByRole('button', { name: new RegExp(ENTRY) }).click()
    await page.getByLabel('事由').fill(MATTER)
    await world.look(page, 'form of a dispute')
    await page.getByRole('button', { name: '提交', exact: true }).click()
    await confirmation(page, '已登记，办件编号')
    await page.getByRole('heading', { name: MATTER, level: 1 }).waitFor()
  },

  'the authority convenes both sides, and escalates': async (world) => {
    const page = await signIn(world, AUTHORITY)
    await openAnew(page, '我的工作台')
    await rowOf(page, '待办', MATTER).getByRole('link', { name: /^办理 / }).click()
    await page.getByRole('heading', { name: MATTER, level: 1 }).waitFor()
    const talks = card(page, '组织会商')
    await talks.getByLabel('办理意见').fill('双方意见不一致，会商未达成一致。')
    await world.look(page, 'dispute, to be convened')
    await talks.getByRole('button', { name: '未达成一致' }).click()
    await confirmation(page, '已办理：组织会商')
    const escalation = card(page, '报请本级政府协调')
    await escalation.getByLabel('办理意见').fill('报请县政府协调。')
    await escalation.getByRole('button', { name: '确认办理' }).click()
    await confirmation(page, '已办理：报请本级政府协调')
    await world.look(page, 'dispute, escalated')
  },

  'anyone reckons a date and reads the regulation': async (world) => {
    const page = await world.page(REQUESTER)
    await page.getByRole('contentinfo').getByRole('link', { name: '时限计算器' }).click()
    await page.getByLabel('申请提交').fill('2026-09-30T17:59')
    await page.getByRole('button', { name: '计算' }).click()
    await rowOf(page, '各环节时限', '2026-10-10').waitFor()
    await world.look(page, 'deadline calculator')
    await page.getByRole('contentinfo').getByRole('link', { name: '规则依据' }).click()
    await page.getByRole('table', { name: DISPUTE }).waitFor()
    await world.look(page, 'the regulation')
    await page.getByRole('contentinfo').getByRole('link', { name: '工作日历' }).click()
    await page.getByRole('table', { name: '2026 年 10 月' }).waitFor()
    await world.look(page, 'working days')
  },

  'what is overdue and what comes round is looked over': async (world) => {
    const page = await world.page(AUTHORITY)
    await openMenu(page, '我的工作台')
    await page.getByRole('navigation', { name: '工作台' }).getByRole('link', { name: '督办' }).click()
    for (const tab of ['超期情况', '定期事项', '部门亮灯']) {
      await page.getByRole('tab', { name: tab }).click()
      await settled(page)
      await world.look(page, `supervision, ${tab}`)
    }
  },
}
