import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/nodes',
    name: 'nodes',
    component: () => import('./NodesPage.vue'),
    meta: { title: 'nodes.title', feature: 'nodes' },
  },
]
