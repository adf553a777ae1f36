import { readdirSync } from 'node:fs'
import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import vue from 'eslint-plugin-vue'
import a11y from 'eslint-plugin-vuejs-accessibility'
import ts from 'typescript-eslint'

// Arrows: shared <- features <- app, and no feature knows another. Only api/ talks to the server.
const features = readdirSync(new URL('./src/features', import.meta.url))
const APP = { regex: '^@/app(/|$)', message: 'app/ puts the parts together; nothing imports it.' }
const featureBorders = features.map((feature) => ({
  files: [`src/features/${feature}/**`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          APP,
          {
            regex: '^@/features/|^(\\.\\./)+(' + features.filter((other) => other !== feature).join('|') + ')/',
            message: 'A feature imports no other feature: move what both need to shared/.',
          },
        ],
      },
    ],
  },
}))

export default ts.config(
  { ignores: ['dist', 'src/api/schema.gen.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...vue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/no-v-html': 'error',
      'vue/no-static-inline-styles': 'error',
      'vue/no-unused-refs': 'error',
      // An optional prop without a default is undefined, and its type says so.
      'vue/require-default-prop': 'off',
      // `:id` and `:row` say the same as `:id="id"`.
      'vue/v-bind-style': ['error', 'shorthand', { sameNameShorthand: 'always' }],
      'vuejs-accessibility/heading-has-content': ['error', { accessibleChildren: ['RouterLink'] }],
      // A label is tied by `for`; nesting is one way to do it, not both.
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
    },
  },
  {
    files: ['src/**', 'build/**'],
    rules: {
      // vue-tsc knows the globals of the browser better than this rule.
      'no-undef': 'off',
      'no-restricted-globals': [
        'error',
        ...['fetch', 'EventSource', 'XMLHttpRequest', 'WebSocket'].map((name) => ({
          name,
          message: 'Only client.ts and early.ts of api/ talk to the server.',
        })),
      ],
      'no-eval': 'error',
      // Indexing is checked by noUncheckedIndexedAccess; a `!` says that a reader can see why it holds.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
    },
  },
  { files: ['src/api/client.ts', 'src/api/early.ts'], rules: { 'no-restricted-globals': 'off' } },
  {
    files: ['src/shared/**', 'src/api/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [APP, { regex: '^@/features/', message: 'shared/ and api/ know no feature.' }] },
      ],
    },
  },
  {
    files: ['src/app/**', 'src/App.vue', 'src/main.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^@/features/[^/]+/(?!routes$)', message: 'Of a feature, app/ imports its routes.ts only.' },
          ],
        },
      ],
    },
  },
  ...featureBorders,
  prettier,
)
