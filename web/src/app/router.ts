import { createRouter, createWebHistory } from 'vue-router'
import { guard } from './guards'
import { pages } from './pages'

export const router = createRouter({
  history: createWebHistory(),
  routes: pages,
  scrollBehavior(to, from, saved) {
    if (saved) return saved
    return to.path === from.path ? false : { top: 0 }
  },
})

guard(router)
