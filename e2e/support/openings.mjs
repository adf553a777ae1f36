// Everything that opens over or within a page: dialogs, panels, what unfolds, what shows on focus. Where it lies,
// who opens it, and how. Whether it may be opened is the server's to say, so where the demo's county has nothing
// of a kind, its answer is changed on the way: what is looked at here is the page, not the right to it.

import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { first } from './routes.mjs'
import { answers } from './states.mjs'

const WEB = path.join(import.meta.dirname, '..', '..', 'web', 'src')

/** What a component that opens something is known by. */
const MARKS = /<(UiDialog|CreateDialog|ReasonDialog|details|dialog)\b|role="(tooltip|menu|listbox|dialog|alertdialog)"|\baria-expanded=|\bpopover\b/
/** The kit that the others are made of. */
const KIT = new Set(['shared/ui/UiDialog.vue', 'shared/case/ReasonDialog.vue', 'features/directory/components/CreateDialog.vue'])

/** The components that open something, by their place below `web/src`. */
export async function openingsOfPortal() {
  const files = (await readdir(WEB, { recursive: true })).filter((file) => file.endsWith('.vue') && !KIT.has(file))
  const texts = await Promise.all(files.map((file) => readFile(path.join(WEB, file), 'utf8')))
  return files.filter((_, at) => MARKS.test(texts[at].slice(texts[at].indexOf('<template>')))).sort()
}

const press = (name) => async (page) => page.getByRole('button', { name }).first().click()
const unfold = (text) => async (page) => page.locator('summary').filter({ hasText: text }).first().click()
const admin = (tab) => `/admin?tab=${tab}`

const PLACES = [
  { department_id: 'a', department_name: '云溪县统计局', entry_id: 'a', entry_name: '甲', item_name: '户籍地址' },
  { department_id: 'b', department_name: '云溪县民政局', entry_id: 'b', entry_name: '乙', item_name: '户籍地址' },
]
const CLAUSE = { id: 'X-1', place: '第一条', gist: '依据的要点' }
const ITEMS = [
  { code: 'code', name: '公民身份号码', required: true, sensitive: true, mask_name: null, masks: [{ code: 'whole', name: '全部隐藏' }] },
  { code: 'estate', name: '配租小区', required: false, sensitive: false, mask_name: null, masks: [{ code: 'whole', name: '全部隐藏' }] },
]
const NOTICE = ['date,kind,name', '2027-01-01,holiday,元旦', '2027-02-05,holiday,春节', '2027-02-20,workday,春节', '2027-10-01,holiday,国庆节'].join('\n')
const CLOCK = { kind: 'running', days_left: 3, lamp: 'green' }

const openRequest = {
  who: 'zhujian',
  at: async (page) => `/apply/request/${await first(page, '/requests', 'request_id')}`,
}
const openCase = {
  who: 'zhuguan',
  at: async (page) => `/desk/cases/${await first(page, '/cases?state=open', 'case_id')}`,
}
const decidable = async (page) => {
  await answers(page, /\/requests\/[^/]+$/, (request) => {
    request.actions = ['decide']
    request.decision = { condition: [], needs_reason: true, term_months: null, items: ITEMS }
  })
  await answers(page, /\/alike$/, (alike) => {
    alike.items = [{ clock: CLOCK, columns: 3, due_on: '2026-10-12', duty: '社会救助', number: 'SQ-1', purpose: '核验', request_id: 'x', requester_name: '云溪县民政局', revision: 1 }]
  })
}
const firstStep = (change) => (page) =>
  answers(page, /\/cases\/[^/]+$/, (one) => {
    const step = one.steps.find((each) => each.state === 'open') ?? one.steps[0]
    step.state = 'open'
    step.may_take = true
    change(step, one)
  })

/**
 * By component: `who` opens it `at` which address, with which answers `given`, by doing `open`; what opens is a
 * `dialog`, something `unfolded`, or what `shows` finds. It closes by Escape unless `close` does otherwise;
 * then the focus is back where it was, on the page's content if it was opened `fromPage`.
 */
export const OPENINGS = {
  'app/shell/KeyList.vue': { who: 'tongji', at: '/', fromPage: true, open: (page) => page.keyboard.press('?') },
  'app/shell/UserMenu.vue': {
    who: 'tongji',
    at: '/',
    open: (page) => page.getByRole('banner').getByRole('button', { name: / · / }).click(),
    shows: (page) => page.getByRole('button', { name: '退出登录' }),
  },
  'features/session/components/SignInAgain.vue': {
    who: 'jiaoti',
    at: '/catalog',
    open: async (page) => {
      await page.context().clearCookies()
      await page.getByRole('searchbox').fill('人口')
    },
    // It stays until the person is back, and what was begun goes on.
    close: async (page, world) => {
      const { login, password } = world.program.account('jiaoti')
      await page.getByRole('dialog').getByLabel('登录名').fill(login)
      await page.getByRole('dialog').getByLabel('密码').fill(password)
      await page.getByRole('dialog').getByRole('button', { name: '登录', exact: true }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      world.expectRefusals(401)
    },
  },
  'features/tour/components/TourButton.vue': { who: 'tongji', at: '/', open: press('十步看懂'), shows: (page) => page.getByRole('complementary', { name: '十步看懂' }) },

  'shared/case/DecisionForm.vue': { ...openRequest, given: decidable, open: unfold('只同意一部分'), unfolded: true },
  'shared/case/AlikeRequests.vue': { ...openRequest, given: decidable, open: unfold('可一并审批'), unfolded: true },
  'shared/case/TogetherResult.vue': {
    ...openRequest,
    // The buttons that decide are gone with what was decided.
    fromPage: true,
    given: async (page) => {
      await decidable(page)
      const items = [
        { decided: true, number: 'SQ-1', request_id: 'x', requester_name: '云溪县民政局' },
        { decided: false, code: 'request.changed', message: '这件申请已被他人办理', number: 'SQ-2', request_id: 'y', requester_name: '云溪县统计局' },
      ]
      await page.route('**/requests/decisions', (route) => route.fulfill({ json: { items } }))
    },
    open: async (page) => {
      await unfold('可一并审批')(page)
      await page.getByRole('list', { name: '可一并审批的申请' }).getByRole('checkbox').check()
      await page.getByRole('button', { name: '一并不同意 2 件' }).click()
    },
  },
  'shared/case/WithdrawDialog.vue': {
    ...openRequest,
    given: (page) => answers(page, /\/requests\/[^/]+$/, (request) => (request.actions = ['withdraw'])),
    open: press('撤回申请'),
  },
  'shared/case/ClauseNote.vue': {
    ...openRequest,
    open: async (page) => {
      const clause = page.getByRole('list', { name: '办理过程' }).getByRole('button', { name: /依据/ }).first()
      await clause.focus()
      await page.keyboard.press('Shift+Tab')
      await page.keyboard.press('Tab')
    },
    shows: (page) => page.getByRole('tooltip').filter({ visible: true }),
  },

  'features/grant/components/GrantScope.vue': { who: 'minzheng', at: '/provide/grants', open: unfold('个数据项'), unfolded: true },
  'features/grant/components/GrantActDialog.vue': {
    who: 'minzheng',
    at: '/provide/grants',
    given: (page) =>
      answers(page, /\/grants$/, (grants) => {
        for (const grant of grants.items) {
          grant.actions = [{ clause: CLAUSE, dangerous: true, grounds: [{ code: 'risk', name: '存在安全风险' }], kind: 'suspend', needs_reason: true, step_id: 'suspend' }]
        }
      }),
    open: press(/^暂停/),
  },

  'features/supervision/components/PeriodDialog.vue': {
    who: 'zhuguan',
    at: '/desk/supervision?tab=duties',
    given: (page) => answers(page, /\/duties$/, (duties) => Object.assign(duties.items[0], { period_from: null, period_to: null })),
    open: press('设定周期'),
  },
  'features/supervision/components/DutyDialog.vue': { who: 'zhuguan', at: '/desk/supervision?tab=duties', open: press(/^查看 /) },
  'features/supervision/components/FindingDialog.vue': { who: 'zhuguan', at: '/desk/supervision?tab=findings', open: press(/^查看 /) },
  'features/supervision/components/UnlistedTab.vue': {
    who: 'zhuguan',
    at: '/desk/supervision?tab=unlisted',
    given: (page) =>
      answers(page, /\/unlisted/, (tables) => {
        tables.items = [{ actions: ['excuse'], clause: CLAUSE, department_id: 'a', department_name: '云溪县统计局', excused: null, found_on: '2026-09-21', id: 'x', store_name: '统计局前置库', table: 'tmp_rows' }]
      }),
    open: press(/不需编目$/),
  },

  'features/developer/components/OperationCard.vue': { who: 'tongji', at: '/help/api', open: unfold('/api/v1/'), unfolded: true, codes: true },
  'features/exchange/components/ReconciliationCard.vue': { who: 'yunying', at: '/exchange', open: unfold('按部门'), unfolded: true },
  'features/exchange/components/DayChart.vue': {
    who: 'yunying',
    at: '/exchange',
    open: (page) => page.getByRole('region', { name: '近 30 天送达量' }).locator('summary').click(),
    unfolded: true,
  },
  'features/exchange/components/TopologyCard.vue': {
    who: 'yunying',
    at: '/exchange',
    // More departments than are drawn one by one, until all are asked for.
    given: (page) =>
      answers(page, /\/exchange\/overview$/, ({ flows }) => {
        for (let at = 0; flows.length < 30; at += 1) flows.push({ ...flows[at], department_id: `more-${at}` })
      }),
    open: async (page) => {
      const card = page.getByRole('region', { name: '部门交换拓扑' })
      await card.getByRole('button', { name: '展开其余 7 个部门' }).press('Enter')
      await card.getByRole('button', { name: '收起部门' }).waitFor()
      await card.locator('summary').click()
    },
    unfolded: true,
  },
  'features/ledger/components/ProofDialog.vue': { who: 'shenji', at: '/audit', open: press(/^查看证明/), codes: true },

  'features/directory/components/DepartmentDialog.vue': { who: 'xitong', at: admin('departments'), open: press('新建部门') },
  'features/directory/components/PersonDialog.vue': { who: 'xitong', at: admin('people'), open: press('新建人员') },
  'features/directory/components/ImportDialog.vue': { who: 'xitong', at: admin('people'), open: press('导入人员') },
  'features/directory/components/InviteDialog.vue': {
    who: 'xitong',
    at: admin('people'),
    given: (page) => answers(page, /\/people$/, (people) => people.items.forEach((one) => (one.invited = true))),
    open: press(/^生成链接/),
  },
  'features/directory/components/PostsDialog.vue': { who: 'anquan', at: admin('people'), open: press(/^授予岗位：/) },
  'features/directory/components/RoleDialog.vue': { who: 'xitong', at: admin('roles'), open: press(/^指定/) },
  'features/nodes/components/AgentDialog.vue': { who: 'xitong', at: '/nodes', open: press('新建前置机') },
  'features/directory/components/ThrottleDialog.vue': { who: 'xitong', at: admin('stores'), open: press(/^限速：/) },
  'features/directory/components/StoreDialog.vue': { who: 'xitong', at: admin('stores'), open: press('登记前置库') },
  'features/directory/components/EditDialog.vue': department('edit', '编辑'),
  'features/directory/components/RenameDialog.vue': department('rename', '更名'),
  'features/directory/components/MergeDialog.vue': department('merge', '撤并'),
  'features/directory/components/ContactsDialog.vue': department('contacts', '维护联系人'),
  'features/directory/components/DelegationDialog.vue': { who: 'tongji', at: '/delegations', open: press('新建委托') },
  'features/directory/components/RevokeDialog.vue': {
    who: 'tongji',
    at: '/delegations',
    given: (page) =>
      answers(page, /\/delegations$/, (list) => {
        list.items = [{ id: 'x', state: 'in_force', roles: ['data_officer'], department_name: '云溪县统计局', from_name: '王建国', to_name: '李敏', made_by_name: '王建国', first_day: '2026-09-21', last_day: '2026-09-30', reason: '出差' }]
      }),
    open: press(/李敏/),
  },

  'features/proceeding/components/CaseFacts.vue': {
    ...openCase,
    given: firstStep((_, one) => Object.assign(one.facts, { amount: 3 })),
    open: unfold(''),
    unfolded: true,
  },
  'features/proceeding/components/CaseActions.vue': { ...openCase, given: firstStep((_, one) => (one.actions = ['withdraw'])), open: press('撤回办件') },
  'features/proceeding/components/ClockActions.vue': { ...openCase, given: firstStep((step) => (step.pausable = true)), open: press('暂停计时') },
  'features/proceeding/components/ExceptionActions.vue': {
    ...openCase,
    given: firstStep((step) => (step.exceptions = [{ clause: CLAUSE, code: 'secret', may_claim: true, name: '涉及国家秘密' }])),
    open: press(/^适用例外/),
  },

  'features/law/components/ChoosePack.vue': {
    who: 'xitong',
    at: '/law',
    given: (page) =>
      answers(page, /\/law\/packs\/|\/packs\//, (law) => {
        law.actions = ['choose']
        law.pack.is_default = false
      }),
    open: press('选用这部规定'),
  },
  'features/catalogue/components/ScheduleDialog.vue': {
    who: 'tongji',
    at: '/provide/catalogs',
    given: async (page) => {
      await answers(page, /\/catalogue\/own/, (own) => {
        for (const version of own.items) version.mounted = true
      })
      await answers(page, /\/schedule/, (schedule) => {
        schedule.cron = '0 * * * *'
        schedule.watchable = [{ column: 'updated_at', item_name: '更新时间', unit: 'seconds', overlap: 600 }]
        schedule.may_follow = true
        schedule.follows = true
        schedule.log = { state: 'following', transactions: 1234, changed_at: '2026-09-21T02:00:00Z', message: null }
      })
    },
    open: press(/^汇聚计划 /),
  },
  'features/catalogue/components/MountDialog.vue': { who: 'tongji', at: '/provide/catalogs', open: press(/^(重新)?挂接 /) },
  'features/catalogue/components/ReturnDialog.vue': {
    who: 'zhuguan',
    at: '/review',
    open: press(/^退回 /),
  },
  'features/demand/components/VersionHistory.vue': { who: 'zhuguan', at: '/demand?tab=responsibility', open: unfold('版本'), unfolded: true },
  'features/demand/components/ConflictList.vue': {
    who: 'zhuguan',
    at: '/demand?tab=responsibility',
    given: (page) =>
      answers(page, /\/responsibility-list\/conflicts$/, (list) => {
        list.items = [{ actions: ['settle'], name: '户籍地址', places: PLACES, settled: false }]
      }),
    open: async (page) => {
      await unfold('同名信息项')(page)
      await page.getByRole('button', { name: /户籍地址/ }).click()
    },
  },
  'features/demand/components/MatchCard.vue': {
    who: 'zhuguan',
    at: async (page) => `/demand/${await first(page, '/demands', 'demand_id')}`,
    given: (page) => answers(page, /\/demands\/[^/]+$/, (demand) => (demand.actions = ['confirm_match'])),
    open: unfold('另选目录'),
    unfolded: true,
  },
  'features/calendar/components/NoticeDialog.vue': { who: 'zhuguan', at: '/calendar', open: press('载入放假安排') },
  'features/calendar/components/NoticeEffect.vue': {
    who: 'zhuguan',
    at: '/calendar',
    open: async (page) => {
      await press('载入放假安排')(page)
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('放假和调休日期（CSV）').fill(NOTICE)
      await dialog.getByRole('button', { name: '先看影响' }).click()
      await dialog.locator('summary').click()
    },
    unfolded: true,
  },
}

function department(act, name) {
  return {
    who: 'xitong',
    at: async (page) => `/admin/departments/${await first(page, '/departments', 'id')}`,
    given: (page) => answers(page, /\/departments\/[^/]+$/, (one) => (one.actions = [act])),
    open: press(name),
  }
}
