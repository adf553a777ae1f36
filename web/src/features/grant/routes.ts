import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/provide/grants',
    name: 'grants',
    component: () => import('./GrantsPage.vue'),
    meta: { title: 'grant.title', feature: 'grant', menu: 4.5, may: ['read_grant'] },
  },
]
