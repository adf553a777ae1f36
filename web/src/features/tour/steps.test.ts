import { expect, test } from 'vitest'
import { steps } from './steps'
import en from './tour.en.json'
import zh from './tour.zh-CN.json'

test('the tour has ten steps, each with its texts in both languages and no text without a step', () => {
  const ids = steps.map((step) => step.id)
  expect(ids).toHaveLength(10)
  expect(Object.keys(zh.step)).toEqual(ids)
  expect(Object.keys(en.step)).toEqual(ids)
})
