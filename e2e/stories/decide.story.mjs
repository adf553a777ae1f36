// Deciding and what comes of it: approved in part with reasons, refused together, asked again with the last
// values, and the list of grants in which a provider suspends one and lets it go on.

import { check, checkEqual, until } from '../support/check.mjs'
import { card, confirmation, lookInEveryMode, openAnew, openMenu, rowOf, signIn } from '../support/portal.mjs'

const REQUESTER = 'minzheng'
const OTHER = 'tongji'
const PROVIDER = 'zhujian'
const OPERATOR = 'yunying'
const ENTRY = '公租房保障对象信息'
const NO_ESTATE = '小区位置与核验事项无关'
const REASON = '本表正在核对，十一后再报。'

/** The smallest file that passes for a PDF. */
const A_PDF = Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n')

export const title = 'deciding and grants'
export const pack = 'yunxi-grants'

export const steps = {
  'an officer asks for all of a conditional entry': async (world) => {
    const page = await signIn(world, REQUESTER)
    await ask(page, '低保对象住房保障情况核验', '社会救助审核确认', '社会救助系统')
  },

  'the provider ticks what is granted, and says why the rest is not': async (world) => {
    const page = await signIn(world, PROVIDER)
    const panel = await openTask(page)
    await panel.getByText('只同意一部分').click()
    await panel.getByRole('checkbox', { name: '授权 配租小区' }).uncheck()
    await panel.getByLabel('公民身份号码 的脱敏').selectOption({ label: '全部隐藏' })
    await panel.getByLabel('授权期限').selectOption({ label: '6 个月' })
    await panel.getByRole('button', { name: '部分同意并授权' }).click()
    await panel.getByRole('alert').first().waitFor()
    world.expectRefusal(422)
    await panel.getByLabel('不授权 配租小区 的理由').fill(NO_ESTATE)
    await panel.getByLabel('审批意见').fill('先授权六个月。')
    await lookInEveryMode(world, page, 'deciding in part')
    await panel.getByRole('button', { name: '部分同意并授权' }).click()
    await confirmation(page, '已部分同意')
  },

  'the requester reads what was granted of what was asked': async (world) => {
    const page = await world.page(REQUESTER)
    await page.reload()
    const taken = card(page, '未授权的内容')
    await taken.getByText(`配租小区（${NO_ESTATE}）`).waitFor()
    await page.getByRole('list', { name: '办理过程' }).getByText('部分同意').waitFor()
    const granted = await card(page, '授权').getByRole('definition').first().innerText()
    check(!granted.includes('配租小区'), `granted too much: ${granted}`)
    await card(page, '授权').getByRole('button', { name: '依据第十条第（二）项' }).waitFor()
    await lookInEveryMode(world, page, 'request granted in part')
  },

  'two more requests for the same are refused together': async (world) => {
    const again = await world.page(REQUESTER)
    await ask(again, '再次核验', '社会救助审核确认', '社会救助系统')
    const other = await signIn(world, OTHER)
    await ask(other, '住户调查样本核对', '住户收支调查', '住户调查系统')
    const page = await world.page(PROVIDER)
    const panel = await openTask(page)
    await panel.getByText('另有 1 件同类申请，可一并审批').click()
    await panel.getByRole('list', { name: '可一并审批的申请' }).getByRole('checkbox').check()
    await panel.getByLabel('审批意见').fill(REASON)
    await lookInEveryMode(world, page, 'deciding together')
    await panel.getByRole('button', { name: '一并不同意 2 件' }).click()
    const result = page.getByRole('dialog', { name: '一并审批结果' })
    await result.getByText('已办').nth(1).waitFor()
    await world.look(page, 'decided together')
    await result.getByRole('button', { name: '关闭' }).last().click()
  },

  'asked again in one click, the form holds the last values': async (world) => {
    const page = await world.page(REQUESTER)
    await page.reload()
    await page.getByText(`理由：${REASON}`).waitFor()
    await page.getByRole('link', { name: '再次申请' }).click()
    await page.getByRole('heading', { name: '申请数据', level: 1 }).waitFor()
    checkEqual(await page.getByLabel('使用用途').inputValue(), '再次核验', 'the purpose of last time')
    checkEqual(await page.getByLabel('应用系统').inputValue(), '社会救助系统', 'the system of last time')
    await world.look(page, 'asking again')
  },

  'the provider finds the grant in the list, and suspends it by name': async (world) => {
    const page = await world.page(PROVIDER)
    await openMenu(page, '授权管理')
    const row = rowOf(page, '我部门提供的授权', ENTRY)
    await row.getByText('生效中').waitFor()
    await row.getByText('3 个数据项').click()
    await row.getByText('低保对象住房保障情况核验').waitFor()
    await lookInEveryMode(world, page, 'grants of a provider')
    await row.getByRole('button', { name: /^暂停/ }).click()
    const dialog = page.getByRole('dialog', { name: `暂停授权：${ENTRY}` })
    await dialog.getByText(/影响 云溪县民政局 的 1 个系统（社会救助系统）/).waitFor()
    await dialog.getByLabel('依据').selectOption({ label: '存在安全风险' })
    await dialog.getByRole('button', { name: '确认暂停' }).click()
    await dialog.getByText('名称不一致，请照抄上面的目录名称').waitFor()
    await world.look(page, 'suspending a grant')
    await dialog.getByLabel('请输入目录名称，确认知道影响').fill(ENTRY)
    await dialog.getByRole('button', { name: '确认暂停' }).click()
    await confirmation(page, `已暂停《${ENTRY}》的授权`)
    await row.getByText('已暂停').waitFor()
    await row.getByText('存在安全风险').waitFor()
  },

  'the holder sees it suspended, and the provider lets it go on': async (world) => {
    const holder = await world.page(REQUESTER)
    await openMenu(holder, '授权管理')
    await holder.getByRole('tab', { name: '我部门的授权' }).click()
    await rowOf(holder, '我部门的授权', ENTRY).getByText('已暂停').waitFor()
    await world.look(holder, 'grants of a holder')
    const page = await world.page(PROVIDER)
    const row = rowOf(page, '我部门提供的授权', ENTRY)
    await row.getByRole('button', { name: /^恢复/ }).click()
    await page.getByRole('dialog', { name: `恢复授权：${ENTRY}` }).getByRole('button', { name: '确认恢复' }).click()
    await confirmation(page, `已恢复《${ENTRY}》的授权`)
    await row.getByText('生效中').waitFor()
    const chip = page.getByRole('button', { name: /^已终止/ })
    await chip.click()
    await page.getByText('没有符合条件的授权').waitFor()
    check(page.url().includes('state=ended'), 'the filter is not in the address')
    await world.look(page, 'grants, none fits')
    await page.getByRole('button', { name: '查看全部' }).click()
    await row.waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: '导出清单' }).click()
    checkEqual((await download).suggestedFilename(), 'grants.xlsx', 'the exported list')
  },

  'the platform unit enters what another bureau has asked on paper': async (world) => {
    const page = await signIn(world, OPERATOR)
    await openMenu(page, '我的工作台')
    await page.getByRole('link', { name: '录入纸质申请' }).click()
    await page.getByRole('heading', { name: '录入纸质申请', level: 1 }).waitFor()
    await page.getByRole('searchbox', { name: '目录' }).fill('公租房')
    await page.getByRole('button', { name: new RegExp(ENTRY) }).click()
    await page.getByLabel('申请部门').selectOption({ label: '云溪县统计局' })
    await page.getByLabel('使用用途').fill('纸质申请：住户调查样本核对')
    await page.getByLabel('履职依据').fill('住户收支调查')
    await page.getByLabel('选择文件').setInputFiles({ name: '纸质申请.pdf', mimeType: 'application/pdf', buffer: A_PDF })
    await page.getByText('纸质申请.pdf').waitFor()
    // The form shows the codes of data items on purpose, so it isn't looked over for codes.
    await world.look(page, 'a paper application')
    await page.getByRole('checkbox', { name: /^以上内容属实/ }).check()
    await page.getByRole('button', { name: '提交申请' }).click()
    await confirmation(page, '已录入，申请编号')
    await page.getByText(/由云溪县政务服务和大数据管理局据纸质申请录入/).waitFor()
  },
}

/** Finds the entry and files a request for all of its data items. */
async function ask(page, purpose, duty, system) {
  await openAnew(page, '数据目录')
  await page.getByRole('link', { name: `申请 ${ENTRY}` }).click()
  await page.getByRole('heading', { name: '申请数据', level: 1 }).waitFor()
  await page.getByRole('checkbox', { name: '全选' }).check()
  await page.getByLabel('使用用途').fill(purpose)
  await page.getByLabel('履职依据').fill(duty)
  await page.getByLabel('应用系统').fill(system)
  await page.getByRole('checkbox', { name: /^以上内容属实/ }).check()
  await page.getByRole('button', { name: '提交申请' }).click()
  await confirmation(page, '已提交，申请编号')
  await page.getByRole('heading', { name: ENTRY, level: 1 }).waitFor()
}

/** Opens the first request on the provider's desk in the side panel. */
async function openTask(page) {
  await openAnew(page, '我的工作台')
  const task = rowOf(page, '待办', ENTRY).first()
  await task.getByRole('button', { name: /^办理 / }).click()
  const panel = page.getByRole('complementary', { name: '办理' })
  await panel.getByLabel('审批意见').waitFor()
  await until(async () => (await panel.getByText('只同意一部分').count()) === 1, 'the panel offers no decision in part')
  return panel
}
