// Pages that stay open while others act: nobody presses reload, and everybody sees what is so.

import { check } from '../support/check.mjs'
import { card, confirmation, lookInEveryMode, openMenu, rowOf, signIn } from '../support/portal.mjs'

const REQUESTER = 'minzheng'
const PROVIDER = 'zhujian'
const OPERATOR = 'yunying'
const ADMINISTRATOR = 'xitong'
const ENTRY = '建筑业企业资质信息'
const DOUBT = '库表、文件数据疑义核查'

export const title = 'pages that stay open'

/** Marks the page as it now is; a reload would lose the mark. */
const mark = (page) => page.evaluate(() => void (globalThis.keptOpen = true))
const wasKeptOpen = async (page, who) => check(await page.evaluate(() => globalThis.keptOpen === true), `${who} had to load the page again`)

export const steps = {
  'the provider has the desk open, and it says that it is live': async (world) => {
    const page = await signIn(world, PROVIDER)
    await openMenu(page, '我的工作台')
    await page.getByText(/^实时更新 · \d\d:\d\d:\d\d$/).waitFor()
    check((await rowOf(page, '待办', ENTRY).count()) === 0, 'the task is there before anybody has asked for it')
    await mark(page)
  },

  'meanwhile the requester reports a doubt': async (world) => {
    const page = await signIn(world, REQUESTER)
    await openMenu(page, '数据目录')
    await page.getByRole('link', { name: ENTRY, exact: true }).click()
    await page.getByRole('link', { name: '反馈疑义' }).click()
    await page.getByRole('link', { name: DOUBT }).click()
    await page.getByRole('button', { name: '提交', exact: true }).click()
    await confirmation(page, '已登记，办件编号')
    const step = card(page, '反馈疑义')
    await step.getByLabel('办理意见').fill('三家企业的资质等级与发证机关公示不一致。')
    await step.getByRole('button', { name: '确认办理' }).click()
    await confirmation(page, '已办理：反馈疑义')
    await page.getByText(/^实时更新/).waitFor()
    await mark(page)
  },

  'the task appears on the desk that was open all the time': async (world) => {
    const page = await world.page(PROVIDER)
    await rowOf(page, '待办', ENTRY).waitFor()
    await wasKeptOpen(page, 'the provider')
    await lookInEveryMode(world, page, 'live desk')
  },

  'the answer appears on the case that was open all the time': async (world) => {
    const provider = await world.page(PROVIDER)
    await rowOf(provider, '待办', ENTRY)
      .getByRole('link', { name: /^办理 / })
      .click()
    const step = card(provider, '处理并答复')
    await step.getByLabel('办理意见').fill('已核查更正三家企业的资质等级。')
    await step.getByRole('button', { name: '确认办理' }).click()
    await confirmation(provider, '已办理：处理并答复')
    const requester = await world.page(REQUESTER)
    await requester.getByRole('table', { name: '办理记录' }).getByText('已核查更正三家企业的资质等级。').waitFor()
    await wasKeptOpen(requester, 'the requester')
  },

  'the exchange of a quiet county says that nothing has moved': async (world) => {
    const page = await signIn(world, OPERATOR)
    await openMenu(page, '交换监测')
    await card(page, '部门交换拓扑').getByText('近 7 天没有交换').waitFor()
    await card(page, '告警与处置').getByText('目前没有失败的交换').waitFor()
    await card(page, '今日对账').getByText('账实相符').waitFor()
    await page.getByRole('group', { name: '筛选运行' }).getByLabel('状态').selectOption({ label: '失败' })
    await page.getByText('没有符合条件的运行').waitFor()
    check(page.url().includes('state=failed'), 'the filter is not in the address')
    await card(page, '近 30 天送达量').getByText('以表格查看').click()
    await lookInEveryMode(world, page, 'exchange, quiet')
  },

  'the operator sees the node live and asks the stores': async (world) => {
    const page = await world.page(OPERATOR)
    await page.getByRole('link', { name: '节点与前置库' }).click()
    await page.getByRole('heading', { name: '节点与前置库', level: 1 }).waitFor()
    await page.getByText('当前节点').waitFor()
    await page.getByRole('button', { name: '立即检查前置库' }).click()
    await confirmation(page, '已检查全部前置库')
    await page.getByRole('table', { name: '部门前置库' }).getByText('可用').first().waitFor()
    await lookInEveryMode(world, page, 'nodes')
  },

  'the administrator sees the nodes too, an officer does not': async (world) => {
    const administrator = await signIn(world, ADMINISTRATOR)
    await administrator.goto('/nodes')
    await administrator.getByText('当前节点').waitFor()
    const officer = await world.page(REQUESTER)
    await officer.goto('/nodes')
    await officer.getByRole('alert').waitFor()
    world.expectRefusal(403)
    await world.look(officer, 'nodes, no right')
  },

  'the statistics count what was just done, and lead to the rows behind': async (world) => {
    const page = await world.page(OPERATOR)
    await openMenu(page, '交换监测')
    await page.getByRole('link', { name: '统计与考核' }).click()
    await page.getByRole('heading', { name: '统计与考核', level: 1 }).waitFor()
    await rowOf(page, '按部门统计', '云溪县住房和城乡建设局').waitFor()
    await page.getByLabel('排序').selectOption({ label: '已发布目录' })
    check(page.url().includes('sort=entries'), 'the order is not in the address')
    await lookInEveryMode(world, page, 'statistics')
    await page.getByRole('tab', { name: '共享' }).click()
    await page.getByText('按时办结率').first().waitFor()
    await world.look(page, 'statistics, sharing')
    const file = page.waitForEvent('download')
    await page.getByRole('link', { name: '导出 XLSX' }).click()
    check((await file).suggestedFilename().endsWith('.xlsx'), 'the export is no workbook')
  },

  'the big screen shows the county and goes back': async (world) => {
    const page = await world.page(OPERATOR)
    await openMenu(page, '交换监测')
    await page.getByRole('link', { name: '投放大屏' }).click()
    await page.getByRole('heading', { name: /宏观展现$/, level: 1 }).waitFor()
    await page.getByText('接入部门').waitFor()
    await world.look(page, 'big screen')
    await page.getByRole('link', { name: '退出' }).click()
    await page.getByRole('heading', { name: '交换监测', level: 1 }).waitFor()
  },
}
