// Walks every story in `stories/` in Chromium against the real program, two at a time.
//
// A story is a module that exports `title` and `steps`: an object of named functions, walked in order,
// each given the story's world; `pack`, if it needs rules from `packs/`; and `independent`, if a step that
// failed says nothing about the next. Every step, and every page looked over on the way, prints one line `ok ...`
// or `not ok ...`; `cargo xtask test` counts them. A step that could not be reached has failed. Pictures of
// the pages lie in `test-results/` afterwards.
//
// Needs TONGQU_BIN (the built program) and, where it has another name, TONGQU_CHROMIUM. One story alone:
// `node run.mjs publish`, which walks the stories whose file name contains the word.

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { launchBrowser } from './support/browser.mjs'
import { emptyRegistry, enginesFor } from './support/engines.mjs'
import { startProgram } from './support/program.mjs'
import { World } from './support/world.mjs'

const here = import.meta.dirname
const wanted = process.argv[2] ?? ''
let passed = 0
let failed = 0

function report(name, error) {
  if (error === undefined) {
    passed += 1
    console.log(`ok ${name}`)
  } else {
    failed += 1
    console.log(`not ok ${name}`)
    console.log(String(error.stack ?? error).replace(/^/gm, '    '))
  }
}

async function attempt(name, act) {
  try {
    await act()
    report(name)
    return true
  } catch (error) {
    report(name, error)
    return false
  }
}

/** One line for each view that the step looked over, and for each page that it met and looked past. */
async function auditPages(world) {
  for (const [route, page] of world.unseenRoutes()) await world.look(page, route.replaceAll('/', ' ').trim() || 'home')
  for (const { name, faults } of world.newViews()) {
    report(`${name}: the page is sound`, faults.length > 0 ? new Error(faults.join('\n')) : undefined)
  }
}

async function walk(browser, story, { scratch, pictures, registry, title }) {
  console.log(`# ${title}`)
  const names = Object.keys(story.steps)
  let program
  const started = await attempt(`${title}: the program starts`, async () => {
    program = await startProgram(path.join(scratch, 'data'), { pack: story.pack, county: story.county, undoMinutes: story.undoMinutes, registry })
  })
  const world = new World(browser, program, pictures)
  let reached = started
  for (const name of names) {
    if (!reached) {
      report(name, 'not reached')
      continue
    }
    reached = await attempt(name, async () => {
      await story.steps[name](world)
      world.failOnPageErrors()
    })
    if (!reached) await world.keepPictures(name)
    if (story.independent) reached = started
    await auditPages(world)
  }
  await world.close()
  if (program) await attempt(`${title}: the program stops when asked to`, () => program.stop())
}

const files = (await readdir(path.join(here, 'stories'))).filter((file) => file.endsWith('.story.mjs') && file.includes(wanted)).sort()
const scratch = await mkdtemp(path.join(process.env.TONGQU_SCRATCH ?? tmpdir(), 'e2e-'))
const browser = await launchBrowser()
const jobs = []
for (const file of files) {
  const story = await import(path.join(here, 'stories', file))
  for (const engine of enginesFor(story)) jobs.push({ story, engine, name: `${file.replace('.story.mjs', '')}_${engine.toLowerCase()}` })
}
// The longest first, so that nothing is left to wait for at the end.
jobs.sort((a, b) => Object.keys(b.story.steps).length - Object.keys(a.story.steps).length)

/** Takes one story after the other: people read and servers wait, so two of these fill two processors. */
async function walkNext() {
  for (let job = jobs.shift(); job; job = jobs.shift()) {
    const { story, engine, name } = job
    const pictures = path.join(here, 'test-results', name)
    await rm(pictures, { recursive: true, force: true })
    const registry = await emptyRegistry(engine, `${name}_${process.pid}`)
    await walk(browser, story, { scratch: path.join(scratch, name), pictures, registry, title: `${story.title}, on ${engine}` })
  }
}

try {
  await Promise.all([walkNext(), walkNext()])
} finally {
  await browser.close()
  await rm(scratch, { recursive: true, force: true })
}
console.log(`# ${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
