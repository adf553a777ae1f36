// A case with every turn that a step can take: a sealed form, a clock that stands still, a limit that is
// prolonged, an order with its date, a proof. Before it, next year's working days.

import { check, until } from '../../support/check.mjs'
import { card, checkFaultAt, confirmation, lookInEveryMode, openAnew, openMenu, rowOf, signIn } from '../../support/portal.mjs'
import { closed, openDialog } from './departments.mjs'

export const REQUESTER = 'minzheng'
export const PROVIDER = 'zhujian'
export const AUTHORITY = 'zhuguan'
const ENTRY = '建筑业企业资质信息'
const PROCESS = '数据专项核查'
const MATTER = '资质等级与公示不一致'
const NOTICE = ['date,kind,name', '2027-01-01,holiday,元旦', '2027-02-05,holiday,春节', '2027-02-20,workday,春节', '2027-10-01,holiday,国庆节'].join('\n')

export const steps = {
  'a holiday notice is looked at with what it moves, and loaded': async (world) => {
    const page = await signIn(world, AUTHORITY)
    await page.getByRole('contentinfo').getByRole('link', { name: '工作日历' }).click()
    await page.getByRole('table', { name: '2026 年 9 月' }).waitFor()
    await lookInEveryMode(world, page, 'working days of the year')
    const dialog = await openDialog(page, '载入放假安排')
    await dialog.getByLabel('通知标题').fill('关于2027年部分节假日安排的通知（演练）')
    await dialog.getByLabel('发文字号').fill('演练〔2026〕1号')
    await dialog.getByLabel('放假和调休日期（CSV）').fill('date,kind,name\n2027-13-01,holiday,元旦')
    await dialog.getByRole('button', { name: '先看影响' }).click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(dialog.getByLabel('放假和调休日期（CSV）'))
    await dialog.getByRole('alert').getByText('第 2 行：').waitFor()
    await world.look(page, 'notice with a fault')
    await dialog.getByLabel('从文件读取').setInputFiles({ name: '2027.csv', mimeType: 'text/csv', buffer: Buffer.from(NOTICE) })
    await dialog.getByRole('button', { name: '先看影响' }).click()
    await dialog.getByText('涉及 2027 年。').waitFor()
    await dialog.getByText('有变化的日期').first().click()
    await world.look(page, 'notice, what it changes')
    await dialog.getByRole('button', { name: '确认载入' }).click()
    await confirmation(page, '已载入 2027 年的放假安排')
    await closed(page)
    await page.getByLabel('年份').selectOption('2027')
    await page.getByRole('table', { name: '2027 年 2 月' }).waitFor()
    await page.getByText('演练〔2026〕1号').waitFor()
    await world.look(page, 'working days of next year')
  },

  'a case is not begun without its sealed form, and no other file passes for it': async (world) => {
    const page = await signIn(world, REQUESTER)
    await openMenu(page, '我的工作台')
    await page.getByRole('navigation', { name: '工作台' }).getByRole('link', { name: '发起办件' }).click()
    await page.getByRole('link', { name: PROCESS, exact: true }).click()
    await page.getByRole('heading', { name: PROCESS, level: 1 }).waitFor()
    await page.getByRole('searchbox', { name: '目录' }).fill('资质')
    await page.getByRole('button', { name: new RegExp(ENTRY) }).click()
    await page.getByLabel('事由').fill(MATTER)
    await lookInEveryMode(world, page, 'begin a case with a sealed form')
    await page.getByRole('button', { name: '提交', exact: true }).click()
    await page.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(page.getByLabel('盖章方式'))
    await page.getByLabel('选择文件').setInputFiles({ name: '申请表.pdf', mimeType: 'application/pdf', buffer: Buffer.from('a text') })
    await page.getByText('以文件内容为准').waitFor()
    world.expectRefusal(422)
    await world.look(page, 'file that is refused')
    await page.getByLabel('盖章方式').selectOption({ label: '盖章申请表扫描件' })
    await page.getByLabel('选择文件').setInputFiles({ name: '申请表.png', mimeType: 'image/png', buffer: await page.screenshot() })
    await page.getByText('申请表.png').waitFor()
    await world.look(page, 'scan uploaded')
    await page.getByRole('button', { name: '提交', exact: true }).click()
    await confirmation(page, '已登记，办件编号')
    await page.getByRole('heading', { name: MATTER, level: 1 }).waitFor()
    await page.getByRole('table', { name: '办理记录' }).getByRole('link', { name: '下载附件' }).waitFor()
  },

  'the provider stops the clock and starts it again': async (world) => {
    const page = await signIn(world, PROVIDER)
    await openAnew(page, '我的工作台')
    await rowOf(page, '待办', MATTER).first().getByRole('link', { name: /^办理 / }).click()
    await page.getByRole('heading', { name: MATTER, level: 1 }).waitFor()
    await lookInEveryMode(world, page, 'case with two steps to take')
    const step = card(page, '核查')
    await step.getByText('剩 5 个工作日').waitFor()
    await step.getByRole('button', { name: '暂停计时' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('暂停理由').fill('等待省厅提供发证记录。')
    await world.look(page, 'clock to be stopped')
    await dialog.getByRole('button', { name: '确认暂停' }).click()
    await confirmation(page, '已暂停计时')
    await step.getByText('已暂停计时').first().waitFor()
    await lookInEveryMode(world, page, 'case with its clock stopped')
    await step.getByRole('button', { name: '恢复计时' }).click()
    await confirmation(page, '已恢复计时')
    await step.getByText('剩 5 个工作日').waitFor()
  },

  'the limit is prolonged by what the rules allow, and the date moves': async (world) => {
    const page = await world.page(PROVIDER)
    const step = card(page, '核查')
    const before = await step.getByText(/^最晚 /).innerText()
    const extension = card(page, '延长核查期限')
    await extension.getByLabel('延长工作日数').fill('11')
    await extension.getByLabel('办理意见').fill('涉及企业较多。')
    await extension.getByRole('button', { name: '确认办理' }).click()
    await extension.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(extension.getByLabel('延长工作日数'))
    await world.look(page, 'prolonged beyond the bound')
    await extension.getByLabel('延长工作日数').fill('4')
    await extension.getByRole('button', { name: '确认办理' }).click()
    await confirmation(page, '已办理：延长核查期限')
    await until(async () => (await step.getByText(/^最晚 /).innerText()) > before, 'the date has not moved')
    await page.getByRole('table', { name: '办理记录' }).getByText('延长 4 个工作日').waitFor()
    await step.getByLabel('办理意见').fill('三家企业的资质等级有误。')
    await step.getByRole('button', { name: '确认办理' }).click()
    await confirmation(page, '已办理：核查')
  },

  'the authority orders a correction by a date': async (world) => {
    const page = await world.page(AUTHORITY)
    await openAnew(page, '我的工作台')
    await rowOf(page, '待办', MATTER).first().getByRole('link', { name: /^办理 / }).click()
    const order = card(page, '责令限期整改')
    await order.getByLabel('整改期限').fill('2026-09-01')
    await order.getByLabel('办理意见').fill('请更正三家企业的资质等级。')
    await order.getByRole('button', { name: '确认办理' }).click()
    await order.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(order.getByLabel('整改期限'))
    await world.look(page, 'order with a date that has passed')
    await order.getByLabel('整改期限').fill('2026-09-30')
    await order.getByRole('button', { name: '确认办理' }).click()
    await confirmation(page, '已办理：责令限期整改')
    await page.getByRole('list', { name: '办理过程' }).getByText('最晚 2026-09-30').waitFor()
    await lookInEveryMode(world, page, 'case under an order')
  },

  'the correction is handed in with its proof, and the case ends': async (world) => {
    const page = await world.page(PROVIDER)
    await page.reload()
    const correction = card(page, '整改并提交证明')
    await correction.getByText('最晚 2026-09-30').waitFor()
    await correction.getByRole('button', { name: '确认办理' }).click()
    await correction.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await world.look(page, 'correction without proof')
    await correction.getByLabel('选择文件').setInputFiles({ name: '整改证明.png', mimeType: 'image/png', buffer: await page.screenshot() })
    await correction.getByText('整改证明.png').waitFor()
    await correction.getByLabel('办理意见').fill('已更正。')
    await correction.getByRole('button', { name: '确认办理' }).click()
    await confirmation(page, '已办理：整改并提交证明')
    await page.getByText('已办结').first().waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: '下载附件' }).last().click()
    check((await download).suggestedFilename().endsWith('.png'), 'the proof comes back under another name')
    await lookInEveryMode(world, page, 'case that has ended')
  },
}
