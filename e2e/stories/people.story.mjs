// Everybody comes in and finds their own work, and only that.

import { check, checkEqual } from '../support/check.mjs'
import { openMenu, settled, signIn } from '../support/portal.mjs'

const OFFICER = ['首页', '数据目录', '我的工作台', '供需对接', '目录编制', '授权管理', '交换监测']
/** What the main menu offers to each person. */
const MENUS = {
  zhujian: OFFICER,
  zhuguan: ['首页', '数据目录', '我的工作台', '供需对接', '授权管理', '目录审核', '交换监测'],
  yunying: ['首页', '数据目录', '我的工作台', '供需对接', '授权管理', '交换监测'],
  shenji: ['首页', '数据目录', '审计'],
  anquan: ['首页', '数据目录', '系统管理'],
  xitong: ['首页', '数据目录', '节点与前置库', '系统管理'],
}

export const title = 'the people of the county'

export const steps = {
  'a wrong password is refused with a sentence': async (world) => {
    const page = await world.page('stranger')
    await page.goto('/desk')
    await page.getByLabel('登录名').fill('zhujian')
    await page.getByLabel('密码').fill('yunxi-2025')
    await page.getByRole('button', { name: '登录', exact: true }).click()
    await page.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await world.look(page, 'sign-in refused')
  },

  ...Object.fromEntries(
    Object.entries(MENUS).map(([login, menu]) => [
      `${login} finds the menu of the post, and every page of it opens`,
      async (world) => {
        const page = await signIn(world, login)
        const links = page.getByRole('navigation', { name: '主导航' }).getByRole('link')
        await links.first().waitFor()
        checkEqual((await links.allInnerTexts()).join(' '), menu.join(' '), 'the menu')
        for (const name of menu) {
          await openMenu(page, name)
          await page.getByRole('heading', { level: 1 }).waitFor()
          await settled(page)
          await world.look(page, `${login} ${name}`)
        }
      },
    ]),
  ),

  'the administrator opens every list of the directory': async (world) => {
    const page = await world.page('xitong')
    await openMenu(page, '系统管理')
    for (const [tab, button] of [['部门', '新建部门'], ['人员', '新建人员'], ['前置库', '登记前置库']]) {
      await page.getByRole('tab', { name: tab }).click()
      await page.getByRole('tabpanel').getByRole('table').waitFor()
      await world.look(page, `directory, ${tab}`)
      await page.getByRole('button', { name: button }).click()
      await page.getByRole('dialog').waitFor()
      await world.look(page, `directory, ${button}`)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
  },

  'the security administrator sees who has which post': async (world) => {
    const page = await world.page('anquan')
    await openMenu(page, '系统管理')
    await page.getByRole('tab', { name: '人员' }).click()
    await page.getByRole('button', { name: '授予岗位：王建国' }).click()
    const dialog = page.getByRole('dialog')
    check(await dialog.getByRole('checkbox', { name: '数据专员' }).isChecked(), 'the post that the officer has is not marked')
    await world.look(page, 'posts of a person')
    await page.keyboard.press('Escape')
  },

  'a search that finds nothing offers a way on': async (world) => {
    const page = await world.page('zhujian')
    await openMenu(page, '数据目录')
    await page.getByLabel('在目录中搜索').fill('海底两万里')
    await page.getByText('没有找到符合条件的目录').waitFor()
    await world.look(page, 'search without a hit')
    await page.getByRole('link', { name: '查看全部目录' }).click()
    await page.getByRole('article').first().waitFor()
  },

  'keys alone lead from the header to the pages': async (world) => {
    const page = await world.page('zhujian')
    await openMenu(page, '首页')
    await page.reload()
    await page.getByRole('navigation', { name: '主导航' }).getByRole('link').first().waitFor()
    await page.keyboard.press('Tab')
    checkEqual(await page.evaluate(() => document.activeElement.textContent.trim()), '跳到主要内容', 'the first stop of the Tab key')
    await page.keyboard.press('g')
    await page.keyboard.press('d')
    await page.getByRole('tab', { name: /^待办/ }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('c')
    await page.getByRole('article').first().waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('资质')
    await page.getByRole('link', { name: '建筑业企业资质信息', exact: true }).waitFor()
  },

  'a page that is not there says so': async (world) => {
    const page = await world.page('zhujian')
    await page.goto('/nowhere')
    await page.getByRole('heading', { name: '没有这个页面' }).waitFor()
    await world.look(page, 'no such page')
    await page.getByRole('link', { name: '无障碍声明' }).click()
    await page.getByRole('heading', { name: '无障碍声明' }).waitFor()
    await world.look(page, 'accessibility statement')
  },

  'signing out leads back to the door': async (world) => {
    const page = await world.page('zhujian')
    await page.getByRole('button', { name: /周航$/ }).click()
    await world.look(page, 'user menu')
    await page.getByRole('button', { name: '退出登录' }).click()
    await page.getByRole('heading', { name: '登录', level: 1 }).waitFor()
  },
}
