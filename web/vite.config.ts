import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { frame } from './build/frame'
import { messages } from './build/messages'

/**
 * Few files: over HTTP/1.1 a browser asks six at a time, and each round costs the way to the server and back. What
 * every page needs comes as one file of libraries and one of the portal's own; a page adds its own chunk and texts.
 */
const chunks = [
  // What the first script needs; without this, it would be put with the portal's own, and wait for it.
  {
    name: 'start',
    test: /preload-helper|src\/(app\/(pages|frame|texts\/index)|api\/early|shared\/remembered|features\/\w+\/routes)\.ts$/,
  },
  { name: 'libraries', test: /node_modules/ },
  { name: 'shared', test: /src\/(api|shared)\/.*\.(ts|vue)/, minShareCount: 3 },
]

export default defineConfig({
  plugins: [messages(), vue(), frame()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_JIT_COMPILATION__: true,
    __INTLIFY_DROP_MESSAGE_COMPILER__: true,
  },
  server: { host: '127.0.0.1', proxy: { '/api': 'http://127.0.0.1:8080' } },
  preview: { host: '127.0.0.1', proxy: { '/api': process.env['TONGQU_API'] ?? 'http://127.0.0.1:8080' } },
  // The floor of browsers in government offices, which often lag years behind.
  build: {
    target: ['chrome100', 'firefox115', 'safari15'],
    assetsInlineLimit: 0,
    // All styles are 15 kB together, and their parts would be asked for one after the other.
    cssCodeSplit: false,
    rolldownOptions: { output: { codeSplitting: { groups: chunks } } },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts', 'build/**/*.test.ts'] },
})
