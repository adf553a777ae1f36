import { createI18n } from 'vue-i18n'
import { expect, test } from 'vitest'
import { compileMessages } from './messages'

test('compiled messages read as written, without compiling in the browser', () => {
  const texts = compileMessages({ lamp: { left: '剩 {days} 个工作日', today: '今日到期' } })
  const i18n = createI18n({ legacy: false, locale: 'zh-CN' })
  i18n.global.setLocaleMessage('zh-CN', texts as Record<string, string>)
  expect(i18n.global.t('lamp.left', { days: 3 })).toBe('剩 3 个工作日')
  expect(i18n.global.t('lamp.today')).toBe('今日到期')
})

test('a faulty message stops the build', () => {
  expect(() => compileMessages({ broken: '剩 {days 个工作日' })).toThrow()
})
