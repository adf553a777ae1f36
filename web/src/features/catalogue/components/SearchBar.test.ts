import { createApp, defineComponent, h, nextTick, ref } from 'vue'
import { createI18n } from 'vue-i18n'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import SearchBar from './SearchBar.vue'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** The bar in a page whose address changes when `words` does. */
function shown() {
  const host = document.createElement('div')
  const words = ref('')
  const asked: string[] = []
  const page = defineComponent(
    () => () => h(SearchBar, { words: words.value, onSearch: (value: string) => asked.push(value) }),
  )
  createApp(page)
    .use(createI18n({ legacy: false, locale: 'en', missingWarn: false, fallbackWarn: false }))
    .mount(host)
  const box = host.querySelector('input')!
  async function type(text: string): Promise<void> {
    box.value = text
    box.dispatchEvent(new Event('input'))
    await nextTick()
  }
  async function address(text: string): Promise<void> {
    words.value = text
    await nextTick()
  }
  return { box, asked, type, address }
}

test('what is typed stays while an earlier question comes back', async () => {
  const { box, asked, type, address } = shown()
  await type('低保')
  await vi.advanceTimersByTimeAsync(200)
  expect(asked).toEqual(['低保'])
  await type('低保金')
  await address('低保')
  expect(box.value).toBe('低保金')
})

test('the bar follows the address when somebody goes back and forth', async () => {
  const { box, type, address } = shown()
  await type('低保')
  await vi.advanceTimersByTimeAsync(200)
  await address('低保')
  await address('')
  expect(box.value).toBe('')
  await address('低保')
  expect(box.value).toBe('低保')
})
