// The program under test: `tongqu demo` in an empty folder, on a port of its own choosing.

import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import readline from 'node:readline'

/** A lively county lives its month first, on whatever machine this is. */
const START_MS_MAX = 900_000
const STOP_MS_MAX = 15_000
/** Invented rules, for stories that need what no built-in pack has. */
const PACKS = path.join(import.meta.dirname, '..', 'packs')

/**
 * Starts the demo and waits until it says that it is ready, which it does with one line of JSON:
 * `{"address": "http://127.0.0.1:PORT", "sign_ins": [{"role", "department", "person", "login", "password"}]}`.
 * `pack` names rules of `packs/` that it is to run under, the built-in ones otherwise; `county` is `small`, which
 * has nothing going on, or `lively`; `registry` is the address of an empty PostgreSQL database, SQLite otherwise; `undoMinutes`
 * is how long what was filed can be taken back, not at all otherwise.
 */
export async function startProgram(data, { pack, county = 'small', registry, undoMinutes = 0 } = {}) {
  const binary = process.env.TONGQU_BIN
  if (!binary) throw new Error('TONGQU_BIN is not set: point it to the built program, or use `cargo xtask test`')
  await mkdir(path.dirname(data), { recursive: true })
  const child = spawn(binary, ['demo', '--county', county, '--data', data, '--port', '0', '--json', ...(await settings(data, { pack, registry, undoMinutes }))], { stdio: ['ignore', 'pipe', 'pipe'] })
  const last = []
  const remember = (line) => {
    last.push(line)
    if (last.length > 30) last.shift()
  }
  const exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
    child.once('error', (error) => resolve(error.message))
  })
  // Both pipes are read to the end, or the program would stop when they are full.
  readline.createInterface({ input: child.stderr }).on('line', remember)
  const ready = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not ready after ${START_MS_MAX} ms:\n${last.join('\n')}`)), START_MS_MAX)
    exited.then((how) => {
      clearTimeout(late)
      reject(new Error(`ended before it was ready (${how}):\n${last.join('\n')}`))
    })
    readline.createInterface({ input: child.stdout }).on('line', (line) => {
      remember(line)
      const said = parse(line)
      if (said?.address) {
        clearTimeout(late)
        resolve(said)
      }
    })
  }).catch((error) => {
    child.kill('SIGKILL')
    throw error
  })
  return {
    address: ready.address,
    data,
    /** Everybody who may sign in. */
    accounts: ready.sign_ins,
    /** The account of a login name. */
    account(login) {
      const found = ready.sign_ins.find((one) => one.login === login)
      if (!found) throw new Error(`the demo offers no sign-in for ${login}`)
      return found
    },
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
      const how = await exited
      clearTimeout(late)
      if (how !== 0) throw new Error(`ended with ${how} instead of 0:\n${last.join('\n')}`)
    },
  }
}

/** The option that names the settings, which lie beside the data. */
async function settings(data, { pack, registry, undoMinutes }) {
  const law = pack ? `[law]\npack = ${JSON.stringify(pack)}\npacks_dir = ${JSON.stringify(PACKS)}\n` : ''
  const stores = registry ? `[stores]\nregistry_url = ${JSON.stringify(registry)}\n` : ''
  if (!law && !stores && undoMinutes === 0) return []
  const file = `${data}.toml`
  // Without a wish, what is filed is seen at once, as in a demo without settings of its own.
  await writeFile(file, `${law}${stores}[request]
undo_minutes = ${undoMinutes}
`)
  return ['--config', file]
}

function parse(line) {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
