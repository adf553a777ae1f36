// Described and published: the statistics bureau's catalogue, from workbook to exchange store.

import path from 'node:path'

import { check, checkEqual } from '../../support/check.mjs'
import { card, checkFaultAt, confirmation, factsOf, openAnew, openMenu, openRun, rowOf, signIn } from '../../support/portal.mjs'
import { AUDITOR, AUTHORITY, CIVIL_AFFAIRS, CONDITIONAL_ENTRY, OPEN_ENTRY, OPERATOR, RETURNED_ENTRY, SOURCE_ROWS, STATISTICS } from './county.mjs'

const REASON = '请补充指标口径说明后再报。'

export const publish = {
  'five people sign in': async (world) => {
    const door = await world.page(STATISTICS)
    await door.goto('/')
    await door.getByRole('heading', { name: '登录', level: 1 }).waitFor()
    await world.look(door, 'sign-in')
    for (const login of [STATISTICS, CIVIL_AFFAIRS, AUTHORITY, OPERATOR, AUDITOR]) await signIn(world, login)
    await door.getByRole('region', { name: '最新目录' }).getByRole('listitem').first().waitFor()
    await world.look(door, 'home of a provider')
  },

  'the faults of a workbook come back in their cells': async (world) => {
    const page = await world.page(STATISTICS)
    await openMenu(page, '目录编制')
    await page.getByRole('heading', { name: '目录编制' }).waitFor()
    await world.look(page, 'catalogue drafts, none yet')
    await upload(world, page, 'catalogue-12.xlsx')
    await page.getByText('10 条通过，已存为草稿').waitFor()
    const faults = await page.getByRole('table', { name: '需要修改的单元格' }).getByRole('row').allInnerTexts()
    const cells = faults.slice(1).map((row) => row.match(/\b[A-Z]{1,2}\d+\b/)?.[0])
    checkEqual(cells.length, 3, 'cells with a fault')
    check(cells.every(Boolean), `a fault has no cell: ${faults.join(' | ')}`)
    await world.look(page, 'catalogue import with faults')
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: '下载标注了问题的表格' }).click()
    check((await download).suggestedFilename().endsWith('.xlsx'), 'the marked workbook is no workbook')
  },

  'corrected, all twelve are submitted': async (world) => {
    const page = await world.page(STATISTICS)
    await upload(world, page, 'catalogue-12-corrected.xlsx')
    await page.getByText('12 条通过，已存为草稿').waitFor()
    const drafts = page.getByRole('table', { name: '本部门目录' })
    await drafts.getByRole('row').nth(12).waitFor()
    for (const box of await drafts.getByRole('checkbox', { name: /^选择 / }).all()) await box.check()
    await world.look(page, 'catalogue drafts, all chosen')
    await page.getByRole('button', { name: '送审所选（12）' }).click()
    await confirmation(page, '已送审 12 项目录')
  },

  'the authority returns one, not without a reason, and publishes the rest': async (world) => {
    const page = await world.page(AUTHORITY)
    await openMenu(page, '目录审核')
    await page.getByRole('table', { name: '目录审核' }).getByRole('row').nth(12).waitFor()
    await world.look(page, 'review of the catalogue')
    await page.getByRole('button', { name: `退回 ${RETURNED_ENTRY}` }).click()
    const dialog = page.getByRole('dialog', { name: `退回：${RETURNED_ENTRY}` })
    await dialog.getByRole('button', { name: '确认退回' }).click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(dialog.getByLabel('退回理由'))
    await world.look(page, 'returning without a reason')
    await dialog.getByLabel('退回理由').fill(REASON)
    await dialog.getByRole('button', { name: '确认退回' }).click()
    await confirmation(page, `《${RETURNED_ENTRY}》已退回`)
    await page.getByRole('checkbox', { name: '全选' }).check()
    await page.getByRole('button', { name: '发布所选（11）' }).click()
    await confirmation(page, '已发布 11 项目录')
    await page.getByText('没有待审核的目录').waitFor()
    await world.look(page, 'review of the catalogue, nothing left')
  },

  'the department reads why one came back': async (world) => {
    const page = await world.page(STATISTICS)
    await openAnew(page, '目录编制')
    const returned = rowOf(page, '本部门目录', RETURNED_ENTRY)
    await returned.getByText('已退回').waitFor()
    await returned.getByText(REASON).waitFor()
    await page.getByRole('link', { name: /^消息/ }).click()
    await page.getByText(`《${RETURNED_ENTRY}》被退回：${REASON}`).waitFor()
    await world.look(page, 'notices of a provider')
  },

  'the officer mounts two entries to the table': async (world) => {
    const page = await world.page(STATISTICS)
    await openAnew(page, '目录编制')
    await mount(world, page, OPEN_ENTRY, 6)
    await mount(world, page, CONDITIONAL_ENTRY, 4)
  },

  'both collections read every row of the source': async (world) => {
    const page = await world.page(STATISTICS)
    for (const entry of [OPEN_ENTRY, CONDITIONAL_ENTRY]) {
      await openAnew(page, '交换监测')
      await openRun(page, entry, '汇聚')
      const counts = card(page, '条数对账')
      await counts.getByText('账实相符').waitFor()
      checkEqual((await factsOf(counts))['读取'], SOURCE_ROWS, `rows read for ${entry}`)
      await world.look(page, `collection of ${entry}`)
    }
  },
}

async function upload(world, page, file) {
  await page.getByLabel('填好的目录模板（XLSX）').setInputFiles(path.join(world.program.data, 'templates', file))
  await page.getByRole('button', { name: '上传并检查' }).click()
}

async function mount(world, page, entry, items) {
  await page.getByRole('button', { name: `挂接 ${entry}` }).click()
  const dialog = page.getByRole('dialog', { name: `挂接数据：${entry}` })
  await dialog.getByLabel('前置库').selectOption({ label: '统计局前置库 · SQLite' })
  await dialog.getByLabel('数据表').selectOption({ label: 'division_village' })
  const columns = dialog.getByRole('table', { name: '列与数据项对照' })
  await columns.getByText('已对应').first().waitFor()
  checkEqual(await columns.getByText('已对应').count(), items, `columns of ${entry} that are data items`)
  checkEqual(await columns.getByText('主键').count(), 1, 'columns of the key')
  await world.look(page, `mounting ${entry}`)
  await dialog.getByRole('button', { name: '确认挂接' }).click()
  await confirmation(page, `《${entry}》已挂接到表 division_village`)
}
