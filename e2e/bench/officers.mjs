// 100 officers click through their day at once: the questions that the portal asks on each page, with the pauses
// of people who read; now and then one files a request and takes it back. Reports errors and how long each kind of
// question took.
//
// `node bench/officers.mjs [--officers 100] [--minutes 5] [--json]`; needs TONGQU_BIN.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { startProgram } from '../support/program.mjs'

const { values: asked } = parseArgs({
  options: { officers: { type: 'string', default: '100' }, minutes: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
})
const OFFICERS = Number(asked.officers)
const MINUTES = Number(asked.minutes)
/** Between two clicks: somebody who knows the way, and somebody who reads. */
const READS_MS = [1500, 6500]
const WORDS = ['企业', '人口', '低保', '不动产', '婚姻', 'qiye', 'rk', '驾驶证', '社保', '行政区划', '残疾人', '许可证']
const TARGET_P95_MS = 200
/** How many of the entries looked at are asked for. */
const ASKED_SHARE = 0.25

const took = new Map()
const errors = []

class Officer {
  constructor(base, account) {
    this.base = base
    this.account = account
  }

  async signIn() {
    const reply = await fetch(`${this.base}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-requested-with': 'bench' },
      body: JSON.stringify({ login_name: this.account.login, password: this.account.password }),
    })
    if (!reply.ok) throw new Error(`${this.account.login} can't sign in: ${reply.status}`)
    this.cookie = reply.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ')
    await reply.arrayBuffer()
    this.me = await this.ask('who', '/session')
  }

  async ask(kind, url, body) {
    const begun = performance.now()
    const headers = { cookie: this.cookie }
    if (body !== undefined) Object.assign(headers, { 'content-type': 'application/json', 'x-requested-with': 'bench' })
    try {
      const reply = await fetch(`${this.base}/api/v1${url}`, { method: body === undefined ? 'GET' : 'POST', headers, body: body && JSON.stringify(body) })
      const answer = await reply.json()
      if (!reply.ok) errors.push(`${kind} ${reply.status} ${answer.code}`)
      else if (this.counts) took.set(kind, [...(took.get(kind) ?? []), performance.now() - begun])
      return reply.ok ? answer : undefined
    } catch (error) {
      errors.push(`${kind} ${error.cause?.code ?? error.message}`)
      return undefined
    }
  }

  async read() {
    const [least, most] = READS_MS
    await new Promise((resolve) => setTimeout(resolve, least + Math.random() * (most - least)))
  }

  /** One round of the day: look at the desk, search, judge an entry, look at an own request, look at the exchange. */
  async round() {
    await this.ask('home', '/home')
    await this.read()
    const word = WORDS[Math.floor(Math.random() * WORDS.length)]
    const found = await this.ask('search', `/catalogue/entries?q=${encodeURIComponent(word)}`)
    await this.read()
    const entry = found?.items?.[Math.floor(Math.random() * found.items.length)]
    if (entry) {
      const [whole, preview] = await Promise.all([
        this.ask('entry', `/catalogue/entries/${entry.entry_id}`),
        this.ask('preview', `/requests/preview?entry_id=${entry.entry_id}`),
      ])
      await this.read()
      await this.ask('sample', `/catalogue/entries/${entry.entry_id}/sample`)
      await this.read()
      if (Math.random() < ASKED_SHARE) await this.fileAndWithdraw(whole, preview)
    }
    if (!this.me.may.read_case) return
    await Promise.all([this.ask('desk', '/desk'), this.ask('notices', '/notices')])
    await this.read()
    const own = await this.ask('requests', '/requests')
    const request = own?.items?.[0]
    if (request) {
      await this.ask('request', `/requests/${request.request_id}`)
      await this.read()
    }
    if (this.me.may.read_run) {
      await this.ask('runs', '/runs')
      await this.read()
    }
  }

  /** Asks for the first two items of an entry, looks at what has become of it, and takes it back. */
  async fileAndWithdraw(entry, preview) {
    const table = preview?.modes.find((mode) => mode.mode === 'table' && !mode.form && mode.facts.length === 0)
    if (!this.me.may.file_request || !entry || !table || entry.department.id === this.me.department.id) return
    const filed = await this.ask('file', '/requests', {
      entry_id: entry.entry_id,
      version_no: preview.version_no,
      mode: table.mode,
      columns: entry.content.items.slice(0, 2).map((item) => item.code),
      purpose_kind: 'data_check',
      purpose: '核对办件材料',
      duty: preview.own_duties[0] ?? '依职责核对',
      consumer_system: '业务系统',
      term_months: 12,
      undertaken: true,
    })
    if (!filed) return
    await this.read()
    await this.ask('request', `/requests/${filed.request_id}`)
    await this.read()
    await this.ask('withdraw', `/requests/${filed.request_id}/withdrawal`, { reason: '已另行取得' })
  }
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

const scratch = await mkdtemp(path.join(process.env.TONGQU_SCRATCH ?? tmpdir(), 'officers-'))
const program = await startProgram(path.join(scratch, 'data'), { county: 'lively' })
try {
  const officers = Array.from({ length: OFFICERS }, (_, n) => new Officer(program.address, program.accounts[n % program.accounts.length]))
  for (const officer of officers) await officer.signIn()
  const end = Date.now() + MINUTES * 60_000
  await Promise.all(
    officers.map(async (officer) => {
      await officer.read()
      officer.counts = true
      while (Date.now() < end) await officer.round()
    }),
  )
} finally {
  await program.stop()
  await rm(scratch, { recursive: true, force: true })
}

const all = [...took.values()].flat().sort((a, b) => a - b)
const line = (name, list) => `${name.padEnd(10)} ${String(list.length).padStart(7)} ${[0.5, 0.95, 0.99].map((share) => quantile(list, share).toFixed(1).padStart(9)).join('')}`
console.log(`${OFFICERS} officers, ${MINUTES} minutes; milliseconds\n${'question'.padEnd(10)} ${'calls'.padStart(7)} ${'p50'.padStart(9)}${'p95'.padStart(9)}${'p99'.padStart(9)}`)
for (const [kind, list] of [...took].sort()) console.log(line(kind, list.sort((a, b) => a - b)))
console.log(line('all', all))
console.log(`errors: ${errors.length}${errors.length > 0 ? ` (${[...new Set(errors)].slice(0, 5).join('; ')})` : ''}; p95 to reach: ${TARGET_P95_MS} ms`)
if (asked.json) console.log(JSON.stringify({ officers: OFFICERS, minutes: MINUTES, calls: all.length, errors: errors.length, p50_ms: quantile(all, 0.5), p95_ms: quantile(all, 0.95), p99_ms: quantile(all, 0.99) }))
process.exitCode = errors.length > 0 || all.length === 0 ? 1 : 0
