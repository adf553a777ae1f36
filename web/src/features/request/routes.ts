import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/apply/request/:id',
    component: () => import('./RequestPage.vue'),
    props: true,
    meta: { title: 'request.page.title', feature: 'request' },
  },
  {
    path: '/apply/paper',
    component: () => import('./PaperFormPage.vue'),
    meta: { title: 'request.paper.title', feature: 'request', may: ['enter_paper'] },
  },
  {
    path: '/apply/:resourceId',
    component: () => import('./RequestFormPage.vue'),
    props: true,
    meta: { title: 'request.form.title', feature: 'request' },
  },
]
