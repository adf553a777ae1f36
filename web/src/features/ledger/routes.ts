import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/audit',
    name: 'audit',
    component: () => import('./AuditPage.vue'),
    meta: { title: 'ledger.title', feature: 'ledger', menu: 8, may: ['read_ledger'] },
  },
]
