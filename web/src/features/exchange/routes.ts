import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/exchange',
    name: 'exchange',
    component: () => import('./ExchangePage.vue'),
    meta: { title: 'exchange.title', feature: 'exchange', menu: 6, may: ['read_run'] },
  },
  {
    path: '/exchange/runs/:id',
    component: () => import('./RunPage.vue'),
    props: true,
    meta: { title: 'exchange.run.title', feature: 'exchange' },
  },
]
