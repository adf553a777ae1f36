import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/start',
    component: () => import('./StartPage.vue'),
    meta: { title: 'first_steps.title', feature: 'first_steps' },
  },
]
