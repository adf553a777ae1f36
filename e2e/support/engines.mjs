// The registry engines that stories are walked on: SQLite always, PostgreSQL where a server is named.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const server = process.env.TONGQU_TEST_POSTGRES

/** The engines at hand, those that a story asks for. */
export function enginesFor(story) {
  const wanted = story.engines ?? ['SQLite', 'PostgreSQL']
  return wanted.filter((engine) => engine === 'SQLite' || server)
}

/** The address of an empty registry; nothing for SQLite, which lies beside the data. */
export async function emptyRegistry(engine, name) {
  if (engine === 'SQLite') return undefined
  const database = `story_${name}`
  await run('psql', [server, '--quiet', '--command', `CREATE DATABASE ${database}`])
  const address = new URL(server)
  address.pathname = `/${database}`
  return address.href
}
