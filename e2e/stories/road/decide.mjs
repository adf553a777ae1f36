// Decided in time, on the day after the holiday, and delivered.

import { card, confirmation, moveClockTo, openAnew, openRun, rowOf } from '../../support/portal.mjs'
import { openTask } from './ask.mjs'
import { AUTHORITY, CONDITIONAL_ENTRY, OPERATOR, STATISTICS } from './county.mjs'
import { equalReceipt } from './find.mjs'

export const decide = {
  'the clock moves over the holiday and its make-up day': async (world) => {
    const page = await world.page(AUTHORITY)
    await openAnew(page, '首页')
    await moveClockTo(page, '2026-10-01')
    await page.getByText('今日为法定节假日').waitFor()
    await moveClockTo(page, '2026-10-08')
    await page.getByText('今日为工作日').waitFor()
    await moveClockTo(page, '2026-10-09')
  },

  'the provider approves, and delivery is due on the third working day': async (world) => {
    const page = await world.page(STATISTICS)
    const panel = await openTask(page, '2026-10-13')
    await world.look(page, 'desk of the provider after the holiday')
    await panel.getByRole('button', { name: '同意并授权' }).click()
    await confirmation(page, '已同意，授权已开通')
    await page.getByRole('tab', { name: /^消息/ }).click()
    await page.getByRole('link', { name: new RegExp(`申请《${CONDITIONAL_ENTRY}》`) }).first().click()
    await page.getByRole('heading', { name: CONDITIONAL_ENTRY, level: 1 }).waitFor()
    await page.getByRole('list', { name: '办理过程' }).getByText('最晚 2026-10-13').waitFor()
    await card(page, '授权').waitFor()
    await world.look(page, 'request approved, seen by the provider')
  },

  'the operator delivers the conditional entry': async (world) => {
    const page = await world.page(OPERATOR)
    await openAnew(page, '我的工作台')
    const task = rowOf(page, '待办', CONDITIONAL_ENTRY)
    await task.getByText('2026-10-13').waitFor()
    await task.getByRole('button', { name: /^办理 / }).click()
    await page.getByRole('complementary', { name: '办理' }).getByRole('button', { name: '确认交付' }).click()
    await confirmation(page, '已开始交付到民政局前置库的表')
    await openAnew(page, '交换监测')
    await openRun(page, CONDITIONAL_ENTRY, '交付')
    await equalReceipt(page, '授权范围内的全部行')
    await world.look(page, 'delivery of the conditional entry')
  },
}
