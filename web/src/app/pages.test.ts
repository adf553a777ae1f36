import { createMemoryHistory, createRouter } from 'vue-router'
import { expect, test } from 'vitest'
import { pageAt, pages } from './pages'

const router = createRouter({ history: createMemoryHistory(), routes: pages })
const ID = '01999999-0000-7000-8000-000000000001'
const paths = pages.map((page) => page.path).filter((path) => !path.includes('(.*)'))

test.each([...paths.map((path) => path.replaceAll(/:\w+\??/g, ID)), '/law', '/nowhere', '/catalog/1/2/3', '/'])(
  'the page at %s is the one that the router opens',
  (path) => {
    const opened = router.resolve(path).matched[0]?.path
    expect(pageAt(path)?.path).toBe(opened)
  },
)
