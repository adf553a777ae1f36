import { readFile } from 'node:fs/promises'
import { baseCompile } from '@intlify/message-compiler'
import type { Plugin } from 'vite'

type Messages = { [key: string]: string | Messages }

function refuse(fault: Error): never {
  throw fault
}

/** Compiles every text of a message file, so that the browser needs neither a compiler nor `unsafe-eval`. */
export function compileMessages(texts: Messages): object {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [
      key,
      typeof text === 'string'
        ? baseCompile(text, { jit: true, minify: true, location: false, onError: refuse }).ast
        : compileMessages(text),
    ]),
  )
}

/** Serves `*.zh-CN.json` and `*.en.json` as compiled messages; a faulty message stops the build. */
export function messages(): Plugin {
  return {
    name: 'tongqu-messages',
    enforce: 'pre',
    async load(id) {
      const path = id.split('?')[0]!
      if (!/\.(zh-CN|en)\.json$/.test(path)) return null
      return JSON.stringify(compileMessages(JSON.parse(await readFile(path, 'utf8')) as Messages))
    },
  }
}
