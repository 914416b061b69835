import { HomeIcon, SettingIcon, UsergroupIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'home',
    component: () => import('../pages/Home.vue'),
    meta: { title: 'shell.home', menu: { order: 10, titleKey: 'shell.home', icon: HomeIcon } },
  },
  {
    path: '/rosters',
    name: 'rosters',
    component: () => import('../pages/Rosters.vue'),
    meta: {
      title: 'shell.rosters',
      menu: { order: 20, titleKey: 'shell.rosters', icon: UsergroupIcon, may: 'roster.read' },
    },
  },
  {
    path: '/rosters/:id',
    name: 'roster',
    component: () => import('../pages/Roster.vue'),
    meta: { title: 'shell.rosters', under: 'rosters' },
  },
  {
    path: '/settings',
    name: 'settings',
    component: () => import('../pages/Settings.vue'),
    meta: { title: 'shell.settings', menu: { order: 60, titleKey: 'shell.settings', icon: SettingIcon } },
  },
  {
    path: '/sign-in',
    name: 'sign-in',
    component: () => import('../pages/SignIn.vue'),
    meta: { title: 'shell.signIn', public: true },
  },
  {
    path: '/first-sign-in',
    name: 'first-sign-in',
    component: () => import('../pages/FirstSignIn.vue'),
    meta: { title: 'shell.firstSignIn', public: true },
  },
]
