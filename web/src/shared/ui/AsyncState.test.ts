import { createApp, defineComponent, h } from 'vue'
import { createI18n } from 'vue-i18n'
import { expect, test } from 'vitest'
import { ApiProblem } from '@/api/errors'
import AsyncState from './AsyncState.vue'

function shown(props: { pending: boolean; problem?: Error | null; empty?: boolean }): HTMLElement {
  const host = document.createElement('div')
  const page = defineComponent(
    () => () => h(AsyncState, props, { default: () => 'the rows', empty: () => 'nothing here' }),
  )
  createApp(page)
    .use(createI18n({ legacy: false, locale: 'en', missingWarn: false, fallbackWarn: false }))
    .mount(host)
  return host
}

test('while it loads the place is held and readers are told', () => {
  const host = shown({ pending: true })
  expect(host.querySelector('[aria-busy=true]')).not.toBeNull()
  expect(host.querySelector('[role=status]')?.textContent).toContain('shared.state.loading')
  expect(host.textContent).not.toContain('the rows')
})

test('an empty answer has words of its own', () => {
  expect(shown({ pending: false, empty: true }).textContent).toContain('nothing here')
})

test('a problem is an alert with the server’s sentence, and can be tried again', () => {
  const host = shown({ pending: false, problem: new ApiProblem(503, 'x.y', 'The store is down.') })
  expect(host.querySelector('[role=alert]')?.textContent).toContain('The store is down.')
  expect(host.querySelector('button')).not.toBeNull()
})

test('a missing right is no error to try again', () => {
  const host = shown({ pending: false, problem: new ApiProblem(403, 'x.y', 'Ask your administrator.') })
  expect(host.textContent).toContain('Ask your administrator.')
  expect(host.querySelector('button')).toBeNull()
})

test('otherwise the content is there', () => {
  expect(shown({ pending: false }).textContent).toBe('the rows')
})
