// What the portal costs a visitor with an office PC: script and style per route, first and largest paint, shifts, and
// the time from a key press to the highlighted result with 100,000 entries. Started by `cargo xtask bench portal`.
//
// TONGQU_BIN is the program, TONGQU_SEARCH_BENCH the benchmark `search`, which fills the registry; the index over those
// entries is built by the program itself when it starts. One line of JSON is printed at the end.

import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { launchBrowser } from '../support/browser.mjs'
import { startProgram } from '../support/program.mjs'

/** The office PC: four times slower, 10 Mbit/s, 40 ms. */
const PROFILE = { slower: 4, bytesPerSecond: 10_000_000 / 8, latencyMs: 40 }
const VISITS = 3
const ENTRIES = 100_000
/** A page that is whole may still paint something larger, or move. */
const REST_MS = 1_000
/** For one page on the office PC; a machine that is busy with something else takes its time. */
const VISIT_MS_MAX = 120_000
/** A part of a page that is still loading by then, because its question has no answer, is left. */
const WHOLE_MS_MAX = 15_000
/** What is typed into the search, key by key. */
const WORDS = ['最低生活保障', '企业登记', '公民身份号码', 'budongchan', 'jzdj']
/** Chart code, which loads after the first paint and has a budget of its own. */
const CHARTS = /chart/i

const ROUTES = [
  ['guest', '/login'],
  ['tongji', '/'],
  ['tongji', '/catalog'],
  ['tongji', '/catalog/:entry'],
  ['tongji', '/apply/:entry'],
  ['tongji', '/desk'],
  ['tongji', '/desk/cases'],
  ['tongji', '/provide/catalogs'],
  ['tongji', '/demand'],
  ['tongji', '/exchange'],
  ['tongji', '/provide/grants'],
  ['tongji', '/stats'],
  ['tongji', '/help'],
  ['tongji', '/calendar'],
  ['tongji', '/law'],
  ['tongji', '/help/api'],
  ['tongji', '/a11y'],
  ['zhuguan', '/review'],
  ['shenji', '/audit'],
  ['yunying', '/screen'],
  ['xitong', '/admin'],
  ['xitong', '/nodes'],
  ['xitong', '/start'],
]

const median = (numbers) => {
  const sorted = numbers.filter((n) => Number.isFinite(n)).sort((a, b) => a - b)
  return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : null
}
const round = (n, digits = 2) => (n === null ? null : Number(n.toFixed(digits)))
const load = async () => (await readFile('/proc/loadavg', 'utf8')).trim()

/** Signs a person in and keeps the cookie. */
async function signedIn(browser, program, login) {
  if (login === 'guest') return undefined
  const context = await browser.newContext({ locale: 'zh-CN' })
  const page = await context.newPage()
  const { password } = program.account(login)
  await page.goto(program.address)
  await page.getByLabel('登录名').fill(login)
  await page.getByLabel('密码').fill(password)
  await page.getByRole('button', { name: '登录', exact: true }).click()
  await page.getByRole('banner').waitFor()
  await page.waitForURL((url) => url.pathname !== '/login')
  const state = await context.storageState()
  await context.close()
  return state
}

/** Notes paints and shifts from the beginning, and when the portal has drawn its page with nothing loading on it. */
function watchPaints() {
  const seen = { lcp: 0, cls: 0, whole: null }
  globalThis.__seen = seen
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.lcp = entry.startTime
  }).observe({ type: 'largest-contentful-paint', buffered: true })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.cls += entry.value
  }).observe({ type: 'layout-shift', buffered: true })
  const look = () => {
    if (document.querySelector('main') && !document.querySelector('[aria-busy=true]')) seen.whole ??= performance.now()
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

/** The first visit to a route with an empty cache, on the office PC. */
async function visit(browser, program, storageState, route) {
  const context = await browser.newContext({ locale: 'zh-CN', storageState, viewport: { width: 1366, height: 768 } })
  const page = await context.newPage()
  await page.addInitScript(watchPaints)
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: PROFILE.latencyMs,
    downloadThroughput: PROFILE.bytesPerSecond,
    uploadThroughput: PROFILE.bytesPerSecond,
  })
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: PROFILE.slower })
  const resources = new Map()
  cdp.on('Network.responseReceived', ({ requestId, type, response }) => resources.set(requestId, { type, url: response.url }))
  const bytes = { js: 0, charts: 0, css: 0 }
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const { type, url } = resources.get(requestId) ?? {}
    if (type === 'Script') bytes[CHARTS.test(url) ? 'charts' : 'js'] += encodedDataLength
    if (type === 'Stylesheet') bytes.css += encodedDataLength
  })
  await page.goto(program.address + route, { waitUntil: 'load', timeout: VISIT_MS_MAX })
  await page.getByRole('main').first().waitFor()
  await page.waitForFunction(() => globalThis.__seen.whole, undefined, { timeout: WHOLE_MS_MAX }).catch(() => undefined)
  // Live pages never fall silent, so that a fixed rest has to do.
  await page.waitForTimeout(REST_MS)
  const paints = await page.evaluate(() => ({
    fcp: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    lcp: globalThis.__seen.lcp,
    cls: globalThis.__seen.cls,
    whole: globalThis.__seen.whole,
  }))
  await context.close()
  return { ...paints, ...bytes }
}

/** All routes, each visited in every round, so that a busy moment of the machine hits all alike. */
async function visitRoutes(browser, program) {
  const states = new Map()
  for (const login of new Set(ROUTES.map(([login]) => login))) states.set(login, await signedIn(browser, program, login))
  const entry = await anyEntry(browser, program, states.get('tongji'))
  const routes = ROUTES.filter(([, route]) => entry || !route.includes(':entry'))
  const visits = new Map(routes.map(([, route]) => [route, []]))
  for (let nth = 0; nth < VISITS; nth += 1) {
    console.log(`round ${nth + 1} of ${VISITS}, load ${await load()}`)
    for (const [login, route] of routes) {
      visits.get(route).push(await visit(browser, program, states.get(login), route.replace(':entry', entry)))
    }
  }
  return routes.map(([login, route]) => {
    const of = (what) => median(visits.get(route).map((one) => one[what]))
    return {
      route,
      login,
      js_gzip_kb: round(of('js') / 1000, 1),
      charts_gzip_kb: round(of('charts') / 1000, 1),
      css_gzip_kb: round(of('css') / 1000, 1),
      fcp_s: round(of('fcp') / 1000),
      lcp_s: round(of('lcp') / 1000),
      whole_s: round(of('whole') === null ? null : of('whole') / 1000),
      cls: round(of('cls'), 3),
    }
  })
}

/** The id of some published entry. */
async function anyEntry(browser, program, storageState) {
  const context = await browser.newContext({ storageState })
  const response = await context.request.get(`${program.address}/api/v1/catalogue/entries?size=1`)
  const found = response.ok() ? await response.json() : undefined
  await context.close()
  return found?.items[0]?.entry_id
}

/** Types words into the search and notes for each last key how long its highlighted result took. */
async function typeWords(browser, program) {
  const storageState = await signedIn(browser, program, 'tongji')
  const context = await browser.newContext({ locale: 'zh-CN', storageState, viewport: { width: 1366, height: 768 } })
  const page = await context.newPage()
  const box = page.locator('#catalogue-search')
  const waits = []
  const took = []
  for (let nth = 0; nth <= VISITS; nth += 1) {
    for (const word of WORDS) {
      // Anew each time, because the portal remembers answers.
      await page.goto(`${program.address}/catalog`)
      await page.locator('.results[aria-busy=false]').waitFor()
      const letters = [...word]
      const last = letters.pop()
      await box.pressSequentially(letters.join(''))
      await page.waitForTimeout(800)
      const answered = page.waitForResponse((response) => {
        const url = new URL(response.url())
        return url.pathname.endsWith('/catalogue/entries') && url.searchParams.get('q') === word
      })
      // Measured in the page itself: from the input of the last letter to the first frame that shows its answer.
      await box.evaluate((element) => {
        globalThis.__wait = new Promise((resolve) => {
          element.addEventListener(
            'input',
            () => {
              const begun = performance.now()
              const results = document.querySelector('.results')
              const busy = () => results.getAttribute('aria-busy') === 'true'
              let wasBusy = busy()
              new MutationObserver((_, observer) => {
                if (wasBusy && !busy() && results.querySelector('mark')) {
                  observer.disconnect()
                  requestAnimationFrame(() => resolve(performance.now() - begun))
                }
                wasBusy ||= busy()
              }).observe(results, { attributes: true, childList: true, subtree: true, characterData: true })
            },
            { once: true },
          )
        })
      })
      await box.pressSequentially(last)
      const { took_us: us } = await (await answered).json()
      const wait = await Promise.race([page.evaluate(() => globalThis.__wait), page.waitForTimeout(10_000).then(() => NaN)])
      // The first round warms up.
      if (nth > 0) {
        waits.push(wait)
        took.push(us / 1000)
      }
    }
  }
  await context.close()
  return {
    key_to_result_ms: round(median(waits), 0),
    key_to_result_worst_ms: round(Math.max(...waits.filter(Number.isFinite)), 0),
    unanswered: waits.filter((wait) => !Number.isFinite(wait)).length,
    server_search_ms: round(median(took), 3),
    server_search_worst_ms: round(Math.max(...took), 3),
  }
}

const scratch = await mkdtemp(path.join(os.tmpdir(), 'tongqu-bench-portal-'))
const browser = await launchBrowser()
try {
  const data = path.join(scratch, 'data')
  const loadBefore = await load()
  let program = await startProgram(data)
  const routes = await visitRoutes(browser, program)
  await program.stop()
  console.log(`filling the registry with ${ENTRIES} entries`)
  execFileSync(process.env.TONGQU_SEARCH_BENCH, ['--fill', path.join(data, 'registry.db'), '--entries', String(ENTRIES)], { stdio: 'inherit' })
  const begun = performance.now()
  program = await startProgram(data)
  const start_s = round((performance.now() - begun) / 1000, 1)
  console.log(`started with them in ${start_s} s`)
  const typing = await typeWords(browser, program)
  await program.stop()
  const machine = { cores: os.cpus().length, memory_gb: round(os.totalmem() / 2 ** 30, 0), browser: browser.version() }
  console.log(JSON.stringify({ machine, profile: PROFILE, visits: VISITS, routes, typing: { entries: ENTRIES, start_s, ...typing }, load: [loadBefore, await load()] }))
} finally {
  await browser.close()
  await rm(scratch, { recursive: true, force: true })
}
