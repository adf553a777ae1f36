import { expect, test } from 'vitest'
import { fillIn, textOf } from './frame'

test('the texts of the first frame are those of the message files, in both languages', () => {
  const filled = fillIn('<b data-name data-say="app.name"></b><brand-mark></brand-mark>')
  expect(filled).toMatch(new RegExp(`^<b data-name data-en="${textOf('app.name', 'en')}">政务数据共享交换平台</b><svg`))
})

test('a text that does not exist, or would need escaping, stops the build', () => {
  expect(() => fillIn('<b data-say="app.nothing"></b>')).toThrow('app.nothing')
  expect(() => textOf('app.version', 'en')).toThrow('app.version')
})
