import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/desk/cases',
    component: () => import('./CaseListPage.vue'),
    meta: { title: 'proceeding.list.title', feature: 'proceeding' },
  },
  {
    path: '/desk/cases/:id',
    component: () => import('./CasePage.vue'),
    props: true,
    meta: { title: 'proceeding.page.title', feature: 'proceeding' },
  },
  {
    path: '/desk/begin',
    component: () => import('./BeginPage.vue'),
    meta: { title: 'proceeding.begin.title', feature: 'proceeding' },
  },
]
