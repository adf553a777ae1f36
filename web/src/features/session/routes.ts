import { defineAsyncComponent } from 'vue'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/login',
    component: () => import('./LoginPage.vue'),
    meta: { title: 'session.login.title', feature: 'session', public: true, bare: true },
  },
  {
    path: '/invitation',
    component: () => import('./InvitationPage.vue'),
    meta: { title: 'session.invitation.title', feature: 'session', public: true, bare: true },
  },
  {
    path: '/setup',
    component: () => import('./SetupPage.vue'),
    meta: { title: 'session.setup.title', feature: 'session', public: true, bare: true },
  },
]

/** Signing in over the page when a session has ended, so that what was typed stays. */
export const SignInAgain = defineAsyncComponent(() => import('./components/SignInAgain.vue'))
