import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/desk/supervision',
    component: () => import('./SupervisionPage.vue'),
    meta: { title: 'supervision.title', feature: 'supervision' },
  },
]
