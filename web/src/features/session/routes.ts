import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/login',
    component: () => import('./LoginPage.vue'),
    meta: { title: 'session.login.title', feature: 'session', public: true, frame: 'gate' },
  },
  {
    path: '/invitation',
    component: () => import('./InvitationPage.vue'),
    meta: { title: 'session.invitation.title', feature: 'session', public: true, frame: 'gate' },
  },
  {
    path: '/setup',
    component: () => import('./SetupPage.vue'),
    meta: { title: 'session.setup.title', feature: 'session', public: true, frame: 'gate' },
  },
]

/** Signing in over the page when a session has ended, so that what was typed stays. */
export const loadSignInAgain = () => import('./components/SignInAgain.vue')
