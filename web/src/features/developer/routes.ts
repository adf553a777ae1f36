import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/help/api',
    component: () => import('./ApiPage.vue'),
    meta: { title: 'developer.title', feature: 'developer' },
  },
]
