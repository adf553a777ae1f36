import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/admin',
    name: 'admin',
    component: () => import('./AdminPage.vue'),
    meta: { title: 'directory.title', feature: 'directory', menu: 7, may: ['manage_directory', 'assign_posts'] },
  },
]
