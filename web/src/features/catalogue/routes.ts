import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/catalog',
    name: 'catalog',
    component: () => import('./CataloguePage.vue'),
    meta: { title: 'catalogue.title', feature: 'catalogue', menu: 2 },
  },
  {
    path: '/catalog/:id',
    component: () => import('./EntryPage.vue'),
    props: true,
    meta: { title: 'catalogue.entry.title', feature: 'catalogue' },
  },
  {
    path: '/catalog/:id/diff',
    component: () => import('./DiffPage.vue'),
    props: true,
    meta: { title: 'catalogue.compare.title', feature: 'catalogue' },
  },
  {
    path: '/provide/catalogs',
    name: 'provide',
    component: () => import('./ProvidePage.vue'),
    meta: { title: 'catalogue.provide.title', feature: 'catalogue', menu: 4, may: ['compile_catalogue'] },
  },
  {
    path: '/review',
    name: 'review',
    component: () => import('./ReviewPage.vue'),
    meta: { title: 'catalogue.review.title', feature: 'catalogue', menu: 5, may: ['review_catalogue'] },
  },
]
