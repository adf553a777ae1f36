import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/admin',
    name: 'admin',
    component: () => import('./AdminPage.vue'),
    meta: { title: 'directory.title', feature: 'directory', menu: 7, may: ['manage_directory', 'assign_posts'] },
  },
  {
    path: '/admin/departments/:id',
    component: () => import('./DepartmentPage.vue'),
    props: true,
    meta: { title: 'directory.department.page', feature: 'directory' },
  },
  {
    path: '/delegations',
    component: () => import('./DelegationsPage.vue'),
    meta: { title: 'directory.delegation.title', feature: 'directory' },
  },
]
