// What is left lying becomes a draft; the authority sends it or sets it aside. Nothing is sent by itself.

import { check } from '../../support/check.mjs'
import { card, checkFaultAt, confirmation, lookInEveryMode, moveClockTo, openMenu, settled } from '../../support/portal.mjs'
import { AUTHORITY, PROVIDER, REQUESTER } from './cases.mjs'
import { closed } from './departments.mjs'

const DOUBT = '库表、文件数据疑义核查'
const MATTERS = ['企业名称有误', '发证日期有误']

export const steps = {
  'two doubts are reported and nobody answers': async (world) => {
    const page = await world.page(REQUESTER)
    for (const matter of MATTERS) {
      await openMenu(page, '我的工作台')
      await page.getByRole('navigation', { name: '工作台' }).getByRole('link', { name: '发起办件' }).click()
      await page.getByRole('link', { name: DOUBT }).click()
      await page.getByRole('searchbox', { name: '目录' }).fill('资质')
      await page.getByRole('button', { name: /建筑业企业资质信息/ }).click()
      await page.getByLabel('事由').fill(matter)
      await page.getByRole('button', { name: '提交', exact: true }).click()
      await confirmation(page, '已登记，办件编号')
      await card(page, '反馈疑义').getByLabel('办理意见').fill('请核对。')
      await card(page, '反馈疑义').getByRole('button', { name: '确认办理' }).click()
      await confirmation(page, '已办理：反馈疑义')
    }
  },

  'when the date has passed the authority finds the drafts': async (world) => {
    const page = await world.page(AUTHORITY)
    await moveClockTo(page, '2026-09-28')
    await openMenu(page, '我的工作台')
    await page.getByRole('navigation', { name: '工作台' }).getByRole('link', { name: '督办' }).click()
    await page.getByRole('button', { name: '立即检查' }).click()
    await confirmation(page, '检查完成')
    await page.getByRole('table', { name: '超期情况' }).getByRole('row').nth(2).waitFor()
    await lookInEveryMode(world, page, 'findings')
  },

  'a draft is set aside with a reason, and another is sent': async (world) => {
    const page = await world.page(AUTHORITY)
    await page.getByRole('button', { name: /^处理 .*处理并答复/ }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: '不予发出' }).click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(dialog.getByLabel('不发出的理由'))
    await world.look(page, 'draft without a reason')
    await dialog.getByLabel('不发出的理由').fill('双方已经电话说明。')
    await dialog.getByRole('button', { name: '不予发出' }).click()
    await confirmation(page, '已存档，不发出')
    await closed(page)
    await page.getByLabel('状态').selectOption({ label: '草稿' })
    await page.getByRole('button', { name: /^处理 .*处理并答复/ }).first().click()
    await dialog.getByRole('button', { name: '发出', exact: true }).click()
    await confirmation(page, '已发出')
    await closed(page)
    await page.getByLabel('状态').selectOption({ label: '已发出' })
    await page.getByRole('button', { name: /^查看 .*处理并答复/ }).click()
    await dialog.getByText('处理人').waitFor()
    await world.look(page, 'finding that was sent')
    await page.keyboard.press('Escape')
    const provider = await world.page(PROVIDER)
    await provider.goto('/desk?tab=notices')
    await settled(provider)
    await world.look(provider, 'notices of who was late')
  },

  'the authority says how often a periodic duty comes round': async (world) => {
    const page = await world.page(AUTHORITY)
    await page.getByRole('tab', { name: '定期事项' }).click()
    await page.getByRole('table', { name: '定期事项' }).waitFor()
    await lookInEveryMode(world, page, 'periodic duties')
    await page.getByRole('button', { name: '设定周期：授权和使用情况统计' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: '保存' }).click()
    await dialog.getByRole('alert').waitFor()
    world.expectRefusal(422)
    await checkFaultAt(dialog.getByLabel('每几个月一次'))
    await world.look(page, 'period without a number')
    await dialog.getByLabel('每几个月一次').fill('3')
    await dialog.getByRole('button', { name: '保存' }).click()
    await confirmation(page, '“授权和使用情况统计”每 3 个月一次')
    await closed(page)
    // The first period isn't over yet.
    await page.getByText('没有定期事项').waitFor()
    await world.look(page, 'no periodic duty yet')
  },

  'everybody reads how data were shared': async (world) => {
    const page = await world.page(AUTHORITY)
    for (const tab of ['部门亮灯', '共享统计']) {
      await page.getByRole('tab', { name: tab }).click()
      await settled(page)
      await lookInEveryMode(world, page, `supervision, ${tab}`)
    }
    check(await page.getByLabel('从', { exact: true }).isVisible(), 'the period can not be chosen')
  },
}
