// Departments: taken in by a table, described, edited, renamed, merged.

import { check, checkEqual, until } from '../../support/check.mjs'
import { card, checkFaultAt, confirmation, factsOf, lookInEveryMode, openMenu, rowOf, signIn } from '../../support/portal.mjs'

export const ADMIN = 'xitong'
/** A name as long as names get. */
export const LONG = '云溪县退役军人事务和社会保障综合服务管理与权益维护工作领导小组办公室直属事业单位中心'
const RENAMED = '云溪县退役军人事务局'
export const WATER = '云溪县供水公司'
const STATISTICS = '云溪县统计局'
const HEADERS = '名称,简称,统一社会信用代码,行政区划代码,层级,单位性质,参照执行,上级部门,技术联系人,技术联系人电话'
const FAULTY = `${HEADERS}
${LONG},退役军人中心,11410400005700030X,410404,本级,事业单位,,,周四,
${WATER},供水公司,114104040057000575,99,隔壁,公用企业,也许,,,
`
const SOUND = `${HEADERS}
${LONG},退役军人中心,11410400005700030K,410404,本级,事业单位,,,周四,0375-7000004
${WATER},供水公司,114104040057000575,410404,本级,公用企业,是,,,
`

export const table = (name, text) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })

async function open(page, tab) {
  await openMenu(page, '系统管理')
  await page.getByRole('tab', { name: tab, exact: true }).click()
  await page.getByRole('tabpanel').getByRole('table').waitFor()
}

export async function openDepartment(page, name) {
  await open(page, '部门')
  await rowOf(page, '部门', name).getByRole('link', { name }).click()
  await page.getByRole('heading', { name, level: 1 }).waitFor()
}

/** A dialog that a button opens. */
export async function openDialog(page, button) {
  await page.getByRole('button', { name: button, exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  return dialog
}

export async function closed(page) {
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

export const steps = {
  'a table with faults is shown cell by cell, and nothing is taken in': async (world) => {
    const page = await signIn(world, ADMIN)
    await open(page, '部门')
    const dialog = await openDialog(page, '导入部门')
    await world.look(page, 'import, nothing chosen')
    await dialog.getByLabel('选择文件').setInputFiles(table('部门.csv', FAULTY))
    const faults = dialog.getByRole('table', { name: '问题清单' })
    for (const cell of ['C2', 'J2', 'D3', 'E3', 'G3']) await faults.getByRole('rowheader', { name: cell }).waitFor()
    await dialog.getByText('有 5 处问题').waitFor()
    check(await dialog.getByRole('button', { name: '确认导入' }).isDisabled(), 'a faulty table can be imported')
    await world.look(page, 'import, faults by cell')
  },

  'the mended table is looked at and taken in': async (world) => {
    const page = await world.page(ADMIN)
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('选择文件').setInputFiles(table('部门.csv', SOUND))
    await dialog.getByText('核对无误：新增 2 行，更新 0 行。').waitFor()
    await rowOf(page, '导入内容', WATER).getByText('新增').waitFor()
    await world.look(page, 'import, sound rows')
    await dialog.getByRole('button', { name: '确认导入' }).click()
    await confirmation(page, '导入完成：新增 2，更新 0')
    await closed(page)
    await rowOf(page, '部门', LONG).waitFor()
    await lookInEveryMode(world, page, 'departments')
  },

  'departments without a head on record are listed first': async (world) => {
    const page = await world.page(ADMIN)
    await page.getByRole('tab', { name: '责任落实' }).click()
    await page.getByText('6 个部门有缺项，其中 6 个没有第一责任人。').waitFor()
    await rowOf(page, '责任落实', WATER).getByText('参照执行，仅作提示').waitFor()
    await lookInEveryMode(world, page, 'departments with gaps')
    await rowOf(page, '责任落实', STATISTICS).getByRole('link').click()
    await page.getByRole('heading', { name: STATISTICS, level: 1 }).waitFor()
  },

  'the contacts of a department are kept on its page': async (world) => {
    const page = await world.page(ADMIN)
    const dialog = await openDialog(page, '维护联系人')
    const head = dialog.getByRole('group', { name: '第一责任人' })
    await head.getByLabel('姓名或科室').fill('赵倩')
    await head.getByLabel('电话').fill('0375-7000001')
    const technical = dialog.getByRole('group', { name: '技术联系人' })
    await technical.getByLabel('姓名或科室').fill('周四')
    await dialog.getByRole('button', { name: '保存' }).click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(technical.getByLabel('电话'))
    await world.look(page, 'contacts with a fault')
    await technical.getByLabel('电话').fill('0375-7000004')
    await dialog.getByRole('button', { name: '保存' }).click()
    await confirmation(page, '联系人已更新')
    await closed(page)
    await rowOf(page, '联系人', '第一责任人').getByText('0375-7000001').waitFor()
    await lookInEveryMode(world, page, 'page of a department')
    await page.goBack()
    await page.getByText('6 个部门有缺项，其中 5 个没有第一责任人。').waitFor()
  },

  'a department is edited, and each fault is said at its field': async (world) => {
    const page = await world.page(ADMIN)
    await openDepartment(page, LONG)
    await lookInEveryMode(world, page, 'page of a department with a long name')
    const dialog = await openDialog(page, '编辑')
    await dialog.getByLabel('行政区划代码').fill('99')
    await dialog.getByLabel('层级').selectOption({ label: '下一级' })
    await dialog.getByLabel('上级部门').selectOption({ label: STATISTICS })
    await dialog.getByRole('button', { name: '保存' }).click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(dialog.getByLabel('行政区划代码'))
    await world.look(page, 'department, edited with a fault')
    await dialog.getByLabel('行政区划代码').fill('410404')
    await dialog.getByRole('button', { name: '保存' }).click()
    await confirmation(page, '部门信息已更新')
    await closed(page)
    const facts = await factsOf(card(page, '基本情况'))
    checkEqual(facts['层级'], '下一级', 'the level')
    checkEqual(facts['上级部门'], STATISTICS, 'the superior department')
  },
}

/** After people have come: what can't be undone. */
export const changes = {
  'a department is renamed once its name has been typed, and keeps the old one': async (world) => {
    const page = await world.page(ADMIN)
    await openDepartment(page, LONG)
    const dialog = await openDialog(page, '更名')
    const confirm = dialog.getByRole('button', { name: '确认更名' })
    await dialog.getByLabel('新名称').fill(RENAMED)
    await dialog.getByLabel('输入部门现用名称以确认').fill('退役军人中心')
    check(await confirm.isDisabled(), 'another name is enough to confirm')
    await dialog.getByLabel('输入部门现用名称以确认').fill(LONG)
    await confirm.click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(dialog.getByLabel('依据'))
    await world.look(page, 'rename without a basis')
    await dialog.getByLabel('依据').fill('云政〔2026〕18号')
    await confirm.click()
    await confirmation(page, `已更名为：${RENAMED}`)
    await page.getByRole('heading', { name: RENAMED, level: 1 }).waitFor()
    await card(page, '沿革').getByText(LONG).waitFor()
    await card(page, '沿革').getByText('云政〔2026〕18号').waitFor()
    await lookInEveryMode(world, page, 'renamed department')
  },

  'a department is merged, and its page says where it went': async (world) => {
    const page = await world.page(ADMIN)
    await openDepartment(page, WATER)
    const dialog = await openDialog(page, '撤并')
    await dialog.getByLabel('并入').selectOption({ label: RENAMED })
    await dialog.getByLabel('依据').fill('云政〔2026〕19号')
    await dialog.getByLabel('输入部门现用名称以确认').fill(WATER)
    await world.look(page, 'merge')
    await dialog.getByRole('button', { name: '确认撤并' }).click()
    await confirmation(page, `已并入：${RENAMED}`)
    await card(page, '沿革').getByRole('link', { name: RENAMED }).waitFor()
    check((await page.getByRole('button', { name: '编辑' }).count()) === 0, 'a merged department can be edited')
    await world.look(page, 'merged department')
    await card(page, '沿革').getByRole('link', { name: RENAMED }).click()
    await card(page, '沿革').getByRole('link', { name: WATER }).waitFor()
    await openMenu(page, '系统管理')
    await until(async () => (await rowOf(page, '部门', WATER).count()) === 0, 'a merged department is still listed')
  },
}
