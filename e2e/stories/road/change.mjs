// The source changes without a word; the next run finds exactly what has changed.

import { check, checkEqual } from '../../support/check.mjs'
import { card, confirmation, factsOf, lookInEveryMode, openAnew, openMenu, openRun, runsOf } from '../../support/portal.mjs'
import { OPEN_ENTRY, OPERATOR, STATISTICS } from './county.mjs'
import { equalReceipt } from './find.mjs'

export const change = {
  'the source changes, and the operator runs the delivery again': async (world) => {
    const provider = await world.page(STATISTICS)
    await openMenu(provider, '交换监测')
    await provider.getByRole('button', { name: '演示：改动来源数据' }).click()
    await confirmation(provider, /更新 1,?000 行，新增 500 行，删除 500 行，错误编码 3 行/)
    const operator = await world.page(OPERATOR)
    await openAnew(operator, '交换监测')
    await runsOf(operator, OPEN_ENTRY, '交付').first().getByRole('link', { name: OPEN_ENTRY }).click()
    await operator.getByRole('button', { name: '重新运行' }).click()
    await confirmation(operator, '已安排重新运行，稍后可在列表中看到')
    await world.look(operator, 'list of runs')
  },

  'the provider sees 1,000, 500 and 500 rows, and three in quarantine with their reason': async (world) => {
    const page = await world.page(STATISTICS)
    // The third: one since it was mounted, one before the first delivery, and this one.
    await openRun(page, OPEN_ENTRY, '汇聚', 3)
    const counts = card(page, '条数对账')
    await counts.getByText('账实相符').waitFor()
    const { 更新: updated, 新增: inserted, 删除: deleted, 隔离: quarantined } = await factsOf(counts)
    checkEqual([updated, inserted, deleted, quarantined].join(' '), '1,000 500 500 3', 'updated, inserted, deleted, quarantined')
    const rows = page.getByRole('table', { name: '隔离数据' }).getByRole('row')
    checkEqual(await rows.count(), 4, 'rows of the quarantine with its head')
    await world.look(page, 'collection with a quarantine')
    const file = page.waitForEvent('download')
    await page.getByRole('link', { name: '下载 XLSX' }).click()
    check((await file).suggestedFilename().endsWith('.xlsx'), 'the quarantine is no workbook')
  },

  'the provider limits the pace of its store, and what is no pace is refused': async (world) => {
    const page = await world.page(STATISTICS)
    const stores = (await (await page.request.get('/api/v1/stores')).json()).items
    await page.goto(`/admin/departments/${stores[0].department_id}`)
    const own = card(page, '前置库')
    await own.getByText('不限速').waitFor()
    await own.getByRole('button', { name: /^限速：/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('每秒行数').fill('很多')
    await dialog.getByRole('button', { name: '保存' }).click()
    await dialog.getByText(/每秒行数须为 1 至/).first().waitFor()
    world.expectRefusal(422)
    await world.look(page, 'a pace that is none')
    await dialog.getByLabel('每秒行数').fill('200000')
    await dialog.getByLabel('每秒流量').fill('102400')
    await dialog.getByRole('button', { name: '保存' }).click()
    await dialog.waitFor({ state: 'detached' })
    await own.getByText('200,000 行/秒 · 102,400 KB/秒').waitFor()
    await lookInEveryMode(world, page, 'a store with its pace')
  },

  'the target is equal again': async (world) => {
    const page = await world.page(OPERATOR)
    await openRun(page, OPEN_ENTRY, '交付', 2)
    await equalReceipt(page, '本次改动的行')
    const { 更新: updated, 新增: inserted, 删除: deleted } = await factsOf(card(page, '条数对账'))
    checkEqual([updated, inserted, deleted].join(' '), '500 250 250', 'updated, inserted, deleted at the target')
    await world.look(page, 'second delivery')
  },
}
