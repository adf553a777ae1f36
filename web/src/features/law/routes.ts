import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/law/:pack?',
    component: () => import('./LawPage.vue'),
    props: true,
    meta: { title: 'law.page.title', feature: 'law' },
  },
  {
    path: '/help/due',
    component: () => import('./DuePage.vue'),
    meta: { title: 'law.due.title', feature: 'law' },
  },
]
