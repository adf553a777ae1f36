import { createRouter, createWebHistory } from 'vue-router'
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
import { guard } from './guards'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
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
  ],
  scrollBehavior(to, from, saved) {
    if (saved) return saved
    return to.path === from.path ? false : { top: 0 }
  },
})

guard(router)
