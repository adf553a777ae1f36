// Proven: the auditor finds the act and what proves it. Then the same pages, larger.

import { check } from '../../support/check.mjs'
import { factsOf, openMenu } from '../../support/portal.mjs'
import { AUDITOR, CIVIL_AFFAIRS, OPEN_ENTRY, STATISTICS } from './county.mjs'

export const prove = {
  'the auditor finds the decision in the ledger and opens its proof': async (world) => {
    const page = await world.page(AUDITOR)
    await openMenu(page, '审计')
    const records = page.getByRole('table', { name: '审计' }).getByRole('row')
    const act = records.filter({ hasText: '审批申请' }).first()
    await loadUntil(page, records, act)
    await act.getByText('王建国').waitFor()
    await world.look(page, 'ledger')
    await act.getByRole('button', { name: /^查看证明：/ }).click()
    const dialog = page.getByRole('dialog', { name: /条记录的证明$/ })
    const facts = await factsOf(dialog)
    check(/^[0-9a-f]{64}$/.test(facts['根摘要']), `the root is ${facts['根摘要']}`)
    check((await dialog.getByRole('listitem').count()) > 3, 'the path of the proof is too short')
    await world.look(page, 'proof of an act', { rawCodes: true })
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  },

  'the elder mode enlarges every page and breaks none': async (world) => {
    const page = await world.page(CIVIL_AFFAIRS)
    await page.getByRole('button', { name: '长者模式' }).click()
    await page.getByRole('button', { name: '标准模式' }).waitFor()
    const shows = {
      首页: page.getByRole('region', { name: '最新目录' }),
      数据目录: page.getByRole('article').first(),
      我的工作台: page.getByRole('tab', { name: /^我提交的申请/ }),
      交换监测: page.getByRole('table', { name: '交换监测' }),
    }
    for (const [menu, content] of Object.entries(shows)) {
      await openMenu(page, menu)
      await content.waitFor()
      if (menu === '我的工作台') await content.click()
      await world.look(page, `elder mode, ${menu}`)
    }
    await openMenu(page, '数据目录')
    await page.getByRole('link', { name: OPEN_ENTRY, exact: true }).click()
    await page.getByRole('heading', { name: OPEN_ENTRY, level: 1 }).waitFor()
    await world.look(page, 'elder mode, entry')
    await page.getByRole('link', { name: /^申请使用/ }).click()
    await page.getByRole('button', { name: '提交申请' }).waitFor()
    await world.look(page, 'elder mode, request form')
    await page.getByRole('button', { name: '标准模式' }).click()
  },

  'the portal speaks English where it is asked to': async (world) => {
    const page = await world.page(STATISTICS)
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('button', { name: '中文' }).waitFor()
    await world.look(page, 'English')
  },
}

/** Asks for more rows until `wanted` is among them: what the platform does by itself is recorded too. */
async function loadUntil(page, rows, wanted) {
  const more = page.getByRole('button', { name: '加载更多' })
  await rows.nth(1).waitFor()
  while (!(await wanted.isVisible()) && (await more.isVisible())) {
    const shown = await rows.count()
    await more.click()
    await rows.nth(shown).waitFor()
  }
}
