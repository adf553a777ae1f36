/** The list of pages. It needs nothing but itself, so that the first script can ask for the page's code at once. */
import type { RouteRecordRaw } from 'vue-router'
import { routes as proceedings } from '@/features/proceeding/routes'
import { routes as calendar } from '@/features/calendar/routes'
import { routes as catalogue } from '@/features/catalogue/routes'
import { routes as demand } from '@/features/demand/routes'
import { routes as desk } from '@/features/desk/routes'
import { routes as developer } from '@/features/developer/routes'
import { routes as directory } from '@/features/directory/routes'
import { routes as exchange } from '@/features/exchange/routes'
import { routes as firstSteps } from '@/features/first_steps/routes'
import { routes as help } from '@/features/help/routes'
import { routes as grant } from '@/features/grant/routes'
import { routes as home } from '@/features/home/routes'
import { routes as law } from '@/features/law/routes'
import { routes as ledger } from '@/features/ledger/routes'
import { routes as nodes } from '@/features/nodes/routes'
import { routes as request } from '@/features/request/routes'
import { routes as screen } from '@/features/screen/routes'
import { routes as session } from '@/features/session/routes'
import { routes as stats } from '@/features/stats/routes'
import { routes as supervision } from '@/features/supervision/routes'

export const pages: RouteRecordRaw[] = [
  ...home,
  ...firstSteps,
  ...catalogue,
  ...request,
  ...grant,
  ...demand,
  ...desk,
  ...proceedings,
  ...exchange,
  ...nodes,
  ...stats,
  ...screen,
  ...directory,
  ...calendar,
  ...supervision,
  ...law,
  ...help,
  ...developer,
  ...ledger,
  ...session,
  {
    path: '/a11y',
    component: () => import('./AccessibilityPage.vue'),
    meta: { title: 'app.a11y.title', public: true },
  },
  {
    path: '/:rest(.*)*',
    component: () => import('./NotFoundPage.vue'),
    meta: { title: 'app.not_found.title', public: true },
  },
]

/** Whether `path` fits a pattern of the list: `:name` stands for one part of it, `:name?` for one or none. */
function fits(pattern: string, path: string): boolean {
  const wanted = pattern.split('/').filter(Boolean)
  const parts = path.split('/').filter(Boolean)
  if (parts.length > wanted.length) return false
  return wanted.every((part, n) => {
    if (parts[n] === undefined) return part.endsWith('?')
    return part.startsWith(':') || part === parts[n]
  })
}

/** Which page the router is going to open. A guess for loading it early: a plain path comes before a pattern. */
export function pageAt(path: string): RouteRecordRaw {
  const found = pages.filter((page) => fits(page.path, path))
  const missing = pages[pages.length - 1]!
  return found.find((page) => !page.path.includes(':')) ?? found[0] ?? missing
}
