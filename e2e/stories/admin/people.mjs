// People: invited by a table and one by one, with posts in two departments, and deputies.

import { check, until } from '../../support/check.mjs'
import { checkFaultAt, confirmation, lookInEveryMode, openAnew, openMenu, rowOf, signIn } from '../../support/portal.mjs'
import { ADMIN, LONG, closed, openDialog, table } from './departments.mjs'

const SECURITY = 'anquan'
const STATISTICS = '云溪县统计局'
const HEAD = 'tongji.head'
const OFFICER = 'tongji'
const PASSWORD = 'correct-horse-battery'
const PEOPLE = `登录名,姓名,部门,电话,外包人员,监管部门,合同单位
wu.tong,吴桐,${LONG},0375-7000009,,,
`

async function openPeople(page) {
  await openAnew(page, '系统管理')
  await page.getByRole('tab', { name: '人员' }).click()
  await page.getByRole('table', { name: '人员' }).waitFor()
}

/** The address in a table of one-time links. */
async function linkOf(page, name) {
  const text = await rowOf(page, '一次性链接', name).getByText('/invitation#').innerText()
  check(text.startsWith('http'), `the link is no address: ${text}`)
  return text
}

/** The own menu in the header. */
async function openOwnMenu(page, person) {
  await page.getByRole('banner').getByRole('button', { name: new RegExp(`${person}$`) }).click()
}

async function givePosts(page, person, department, posts) {
  const dialog = await openDialog(page, `授予岗位：${person}`)
  await dialog.getByRole('combobox', { name: '部门', exact: true }).selectOption({ label: department })
  for (const post of posts) await dialog.getByRole('checkbox', { name: post }).check()
  return dialog
}

export const steps = {
  'people of a table get links that are shown once': async (world) => {
    const page = await world.page(ADMIN)
    await openPeople(page)
    await lookInEveryMode(world, page, 'people')
    const dialog = await openDialog(page, '导入人员')
    await dialog.getByLabel('选择文件').setInputFiles(table('人员.csv', PEOPLE.replace(LONG, '没有的局')))
    await dialog.getByRole('table', { name: '问题清单' }).getByRole('rowheader', { name: 'C2' }).waitFor()
    await dialog.getByLabel('选择文件').setInputFiles(table('人员.csv', PEOPLE))
    await rowOf(page, '导入内容', '吴桐').getByText('新增').waitFor()
    await world.look(page, 'import of people')
    await dialog.getByRole('button', { name: '确认导入' }).click()
    await dialog.getByText('导入完成：新增 1，更新 0').waitFor()
    await dialog.getByText('链接只显示这一次').waitFor()
    world.notes.lost = await linkOf(page, '吴桐')
    await world.look(page, 'one-time links')
    await dialog.getByRole('button', { name: '已交给本人' }).click()
    await closed(page)
    await rowOf(page, '人员', '吴桐').getByText('待设密码').waitFor()
  },

  'a contractor is entered with company and supervising department': async (world) => {
    const page = await world.page(ADMIN)
    const dialog = await openDialog(page, '新建人员')
    await dialog.getByLabel('姓名').fill('郑工')
    await dialog.getByLabel('登录名').fill('zheng.gong')
    await dialog.getByRole('combobox', { name: '部门', exact: true }).selectOption({ label: STATISTICS })
    await dialog.getByRole('checkbox', { name: /外包人员/ }).check()
    await dialog.getByRole('button', { name: '保存' }).click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(dialog.getByLabel('监管部门'))
    await checkFaultAt(dialog.getByLabel('合同单位'))
    await world.look(page, 'contractor without company')
    await dialog.getByLabel('监管部门').selectOption({ label: STATISTICS })
    await dialog.getByLabel('合同单位').fill('云溪数科（虚构）有限公司')
    await dialog.getByRole('button', { name: '保存' }).click()
    await linkOf(page, '郑工')
    await page.getByRole('dialog').getByRole('button', { name: '已交给本人' }).click()
    await rowOf(page, '人员', '郑工').getByText('云溪数科（虚构）有限公司').waitFor()
    await world.look(page, 'people, somebody invited and a contractor')
  },

  'a lost link is replaced, and the old one ends': async (world) => {
    const page = await world.page(ADMIN)
    const dialog = await openDialog(page, '生成链接：吴桐')
    await dialog.getByRole('button', { name: '生成链接' }).click()
    const link = await linkOf(page, '吴桐')
    await page.getByRole('dialog').getByRole('button', { name: '已交给本人' }).click()
    const guest = await world.page('wu.tong')
    await guest.goto(world.notes.lost)
    await setPassword(guest, PASSWORD, PASSWORD)
    await guest.getByRole('alert').waitFor()
    world.expectRefusal(403)
    await world.look(guest, 'link that has ended')
    await guest.goto('/')
    await guest.goto(link)
    await guest.getByRole('heading', { name: '设置密码' }).waitFor()
    await world.look(guest, 'first password')
    await setPassword(guest, PASSWORD, 'another-password')
    await guest.getByText('两次输入的密码不一致').waitFor()
    await setPassword(guest, PASSWORD, PASSWORD)
    await confirmation(guest, '密码已设置，请登录')
  },

  'the security administrator gives posts in two departments': async (world) => {
    const page = await signIn(world, SECURITY)
    await openPeople(page)
    let dialog = await givePosts(page, '吴桐', LONG, ['数据专员'])
    await world.look(page, 'posts in a department')
    await dialog.getByRole('button', { name: '保存' }).click()
    await confirmation(page, '已更新 吴桐 的岗位')
    await closed(page)
    dialog = await givePosts(page, '吴桐', STATISTICS, ['数据专员', '部门负责人'])
    await dialog.getByRole('checkbox', { name: '部门负责人' }).uncheck()
    await dialog.getByRole('button', { name: '保存' }).click()
    await confirmation(page, '已更新 吴桐 的岗位')
    await rowOf(page, '人员', '吴桐').getByText(`${STATISTICS}：数据专员`).waitFor()
    await lookInEveryMode(world, page, 'people with several posts')
  },

  'somebody with two posts signs in and switches': async (world) => {
    const page = await world.page('wu.tong')
    await page.getByLabel('登录名').fill('wu.tong')
    await page.getByLabel('密码').fill(PASSWORD)
    await page.getByRole('button', { name: '登录', exact: true }).click()
    await page.getByRole('button', { name: '退役军人中心 · 吴桐' }).waitFor()
    await openOwnMenu(page, '吴桐')
    await world.look(page, 'own menu with two posts')
    for (const [on, off, mode] of [['English', '中文', 'in English'], ['长者模式', '标准模式', 'elder mode']]) {
      await page.getByRole('button', { name: on }).click()
      await openOwnMenu(page, '吴桐')
      await world.look(page, `own menu with two posts, ${mode}`)
      await page.getByRole('button', { name: off }).click()
    }
    await openOwnMenu(page, '吴桐')
    await page.getByRole('button', { name: new RegExp(STATISTICS) }).click()
    await confirmation(page, `现在以${STATISTICS}的岗位办理`)
    await page.getByRole('button', { name: '统计局 · 吴桐' }).waitFor()
    await openMenu(page, '我的工作台')
    await page.reload()
    await page.getByRole('button', { name: '统计局 · 吴桐' }).waitFor()
    await openOwnMenu(page, '吴桐')
    await page.getByRole('link', { name: '本部门' }).click()
    await page.getByRole('heading', { name: STATISTICS, level: 1 }).waitFor()
    await rowOf(page, '人员与岗位', '赵倩').waitFor()
    await page.getByRole('button', { name: '维护联系人' }).waitFor()
    check((await page.getByRole('button', { name: '更名' }).count()) === 0, 'a data officer may rename the department')
    await world.look(page, 'own department')
  },

  'a head passes the post to a colleague for some days': async (world) => {
    const page = await signIn(world, HEAD)
    await openOwnMenu(page, '赵倩')
    await page.getByRole('link', { name: '委托代办' }).click()
    await page.getByText('没有委托').waitFor()
    await lookInEveryMode(world, page, 'no delegations')
    const dialog = await openDialog(page, '新建委托')
    await dialog.getByRole('button', { name: '确认委托' }).click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(dialog.getByLabel('受托人'))
    await checkFaultAt(dialog.getByLabel('事由'))
    await world.look(page, 'delegation with faults')
    await dialog.getByLabel('受托人').selectOption({ label: '王建国' })
    await dialog.getByRole('checkbox', { name: '部门负责人' }).check()
    await dialog.getByLabel('结束日期').fill('2026-09-25')
    await dialog.getByLabel('事由').fill('外出培训')
    await dialog.getByRole('button', { name: '确认委托' }).click()
    await confirmation(page, '已委托给王建国')
    await closed(page)
    await rowOf(page, '委托代办', '外出培训').getByText('生效中').waitFor()
    await lookInEveryMode(world, page, 'delegations')
  },

  'the deputy sees for whom and until when, and the head takes it back': async (world) => {
    const deputy = await signIn(world, OFFICER)
    await openOwnMenu(deputy, '王建国')
    await deputy.getByText('代赵倩：部门负责人（至 2026-09-25）').waitFor()
    await world.look(deputy, 'own menu of a deputy')
    await deputy.getByRole('link', { name: '委托代办' }).click()
    await rowOf(deputy, '委托代办', '赵倩 → 王建国').waitFor()
    const page = await world.page(HEAD)
    const dialog = await openDialog(page, '收回委托给王建国的部门负责人')
    await world.look(page, 'delegation to be taken back')
    await dialog.getByRole('button', { name: '确认收回' }).click()
    await confirmation(page, '委托已收回')
    await rowOf(page, '委托代办', '外出培训').getByText('已收回').waitFor()
    await deputy.reload()
    await rowOf(deputy, '委托代办', '外出培训').getByText('已收回').waitFor()
    await openOwnMenu(deputy, '王建国')
    await until(async () => (await deputy.getByText('代赵倩').count()) === 0, 'the menu still names a deputy')
  },
}

async function setPassword(page, password, repeated) {
  await page.getByLabel(/^密码/).fill(password)
  await page.getByLabel('再次输入密码').fill(repeated)
  await page.getByRole('button', { name: '设置密码' }).click()
}

