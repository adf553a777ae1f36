import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/demand',
    name: 'demand',
    component: () => import('./DemandsPage.vue'),
    meta: { title: 'demand.title', feature: 'demand', menu: 3.5, may: ['read_case', 'read_supervision'] },
  },
  {
    path: '/demand/new',
    component: () => import('./DemandFormPage.vue'),
    meta: { title: 'demand.form.title', feature: 'demand' },
  },
  {
    path: '/demand/lists/:id',
    component: () => import('./DemandListPage.vue'),
    props: true,
    meta: { title: 'demand.list.title', feature: 'demand' },
  },
  {
    path: '/demand/upward/:id',
    component: () => import('./UpwardPage.vue'),
    props: true,
    meta: { title: 'demand.upward.title', feature: 'demand' },
  },
  {
    path: '/demand/:id',
    component: () => import('./DemandPage.vue'),
    props: true,
    meta: { title: 'demand.page.title', feature: 'demand' },
  },
]
