import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/stats',
    name: 'stats',
    component: () => import('./StatsPage.vue'),
    meta: { title: 'stats.title', feature: 'stats' },
  },
]
