// Every route of the portal: where it lies, who opens it, and whom the server sends away.

import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

const WEB = path.join(import.meta.dirname, '..', '..', 'web', 'src')

/** The paths that the portal has, from its own lists of routes. */
export async function pathsOfPortal() {
  const features = path.join(WEB, 'features')
  const files = [path.join(WEB, 'app', 'pages.ts')]
  for (const feature of await readdir(features)) files.push(path.join(features, feature, 'routes.ts'))
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  const found = texts.flatMap((text) => [...text.matchAll(/^\s*path: '([^']+)'/gm)].map((match) => match[1]))
  return found.filter((route) => !route.includes('(.*)')).sort()
}

/** The first of a list of the API that somebody sees; `undefined` where there is none. */
export async function first(page, list, key, fits = () => true) {
  const reply = await page.request.get(`/api/v1${list}`)
  if (!reply.ok()) throw new Error(`${list} was answered ${reply.status()}`)
  return (await reply.json()).items.find(fits)?.[key]
}

/**
 * Each route: `who` opens it, `at` finds its address through the API, `stranger` has no right to what it shows.
 * `guest` routes are for whoever hasn't signed in. Where the demo has nothing to show, `at` gives nothing.
 */
export const ROUTES = {
  '/': { who: 'tongji', at: () => '/' },
  '/start': { who: 'xitong', at: () => '/start', stranger: 'tongji' },
  '/catalog': { who: 'minzheng', at: () => '/catalog' },
  '/catalog/:id': { who: 'minzheng', at: async (page) => `/catalog/${await first(page, '/catalogue/entries', 'entry_id')}` },
  '/catalog/:id/diff': { who: 'minzheng', at: async (page) => `/catalog/${await first(page, '/catalogue/entries', 'entry_id')}/diff?show=all` },
  '/provide/catalogs': { who: 'tongji', at: () => '/provide/catalogs', stranger: 'shenji' },
  '/provide/grants': { who: 'minzheng', at: () => '/provide/grants', stranger: 'shenji' },
  '/review': { who: 'zhuguan', at: () => '/review', stranger: 'shenji' },
  '/apply/paper': { who: 'yunying', at: () => '/apply/paper' },
  '/apply/:resourceId': {
    who: 'minzheng',
    at: async (page) => `/apply/${await first(page, '/catalogue/entries', 'entry_id', (entry) => entry.department_name !== '民政局')}`,
  },
  '/apply/request/:id': { who: 'minzheng', at: (page) => detail(page, '/requests', 'request_id', '/apply/request'), stranger: 'shenji' },
  '/demand': { who: 'minzheng', at: () => '/demand', stranger: 'shenji' },
  '/demand/new': { who: 'minzheng', at: () => '/demand/new' },
  '/demand/lists/:id': { who: 'zhuguan', at: (page) => detail(page, '/demand-lists', 'list_id', '/demand/lists') },
  '/demand/upward/:id': { who: 'zhuguan', at: (page) => detail(page, '/upward-applications', 'application_id', '/demand/upward') },
  '/demand/:id': { who: 'minzheng', at: (page) => detail(page, '/demands', 'demand_id', '/demand') },
  '/desk': { who: 'minzheng', at: () => '/desk', stranger: 'shenji' },
  '/desk/cases': { who: 'minzheng', at: () => '/desk/cases', stranger: 'shenji' },
  '/desk/cases/:id': { who: 'zhuguan', at: (page) => detail(page, '/cases', 'case_id', '/desk/cases'), stranger: 'shenji' },
  '/desk/begin': { who: 'minzheng', at: () => '/desk/begin' },
  '/desk/supervision': { who: 'zhuguan', at: () => '/desk/supervision', stranger: 'shenji' },
  '/exchange': { who: 'yunying', at: () => '/exchange', stranger: 'shenji' },
  '/exchange/runs/:id': { who: 'yunying', at: (page) => detail(page, '/runs', 'run_id', '/exchange/runs'), stranger: 'shenji' },
  '/nodes': { who: 'yunying', at: () => '/nodes', stranger: 'tongji' },
  '/stats': { who: 'zhuguan', at: () => '/stats', stranger: 'shenji' },
  '/screen': { who: 'zhuguan', at: () => '/screen' },
  '/admin': { who: 'xitong', at: () => '/admin' },
  '/admin/departments/:id': { who: 'xitong', at: (page) => detail(page, '/departments', 'id', '/admin/departments') },
  '/delegations': { who: 'tongji', at: () => '/delegations' },
  '/calendar': { who: 'tongji', at: () => '/calendar' },
  '/law/:pack?': { who: 'tongji', at: () => '/law' },
  '/help': { who: 'tongji', at: () => '/help' },
  '/help/due': { who: 'tongji', at: () => '/help/due' },
  '/help/api': { who: 'tongji', at: () => '/help/api', codes: true },
  '/audit': { who: 'shenji', at: () => '/audit', stranger: 'tongji', codes: true },
  '/a11y': { who: 'tongji', at: () => '/a11y' },
  '/login': { guest: true, at: () => '/login' },
  '/invitation': { guest: true, at: () => '/invitation' },
  '/setup': { guest: true, at: () => '/setup' },
}

async function detail(page, list, key, place) {
  const id = await first(page, list, key)
  return id === undefined ? undefined : `${place}/${id}`
}

/** What the county hasn't lived through: its demands go onto a list and, for what the province holds, upward. */
export async function mergeDemands(officer, authority) {
  const wanted = { title: '社保缴费信息', wanted: '参保人缴费月数', purpose: '救助对象核对', duty: '社会救助审核确认', level: 'province', resource: '社保缴费信息' }
  const demand = await post(officer, '/demands', wanted)
  await post(authority, '/demand-lists')
  await post(authority, '/upward-applications', { demand_id: demand.demand_id })
}

async function post(page, path, data) {
  const reply = await page.request.post(`/api/v1${path}`, { headers: { 'X-Requested-With': 'story' }, data })
  if (!reply.ok()) throw new Error(`${path} was answered ${reply.status()}: ${await reply.text()}`)
  return reply.json()
}
