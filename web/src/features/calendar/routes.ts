import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/calendar',
    component: () => import('./CalendarPage.vue'),
    meta: { title: 'calendar.title', feature: 'calendar' },
  },
]
