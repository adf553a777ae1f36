import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/nodes',
    name: 'nodes',
    component: () => import('./NodesPage.vue'),
    // Others come here by way of the exchange, which whoever runs the machines doesn't see.
    meta: { title: 'nodes.title', feature: 'nodes', menu: 6.5, may: ['manage_directory'] },
  },
]
