import { BuildingIcon, CheckCircleIcon, FileImportIcon, LinkIcon, QueueIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'companies',
    component: () => import('../pages/Companies.vue'),
    meta: { title: 'companies.title', menu: { order: 10, titleKey: 'companies.title', icon: BuildingIcon } },
  },
  {
    path: '/statements',
    name: 'statements',
    component: () => import('../pages/Statements.vue'),
    meta: {
      title: 'statements.title',
      menu: { order: 20, titleKey: 'statements.title', icon: FileImportIcon, groupKey: 'settlement.group' },
    },
  },
  {
    path: '/jobs',
    name: 'jobs',
    component: () => import('../pages/Jobs.vue'),
    meta: {
      title: 'jobs.title',
      menu: { order: 30, titleKey: 'jobs.title', icon: QueueIcon, groupKey: 'shell.running' },
    },
  },
  {
    path: '/wecom',
    name: 'provider',
    component: () => import('../pages/Provider.vue'),
    meta: {
      title: 'provider.title',
      menu: { order: 35, titleKey: 'provider.title', icon: LinkIcon, groupKey: 'shell.running' },
    },
  },
  {
    path: '/proof',
    name: 'proof',
    component: () => import('../pages/Proof.vue'),
    meta: {
      title: 'proof.title',
      menu: { order: 40, titleKey: 'proof.menu', icon: CheckCircleIcon, groupKey: 'shell.running' },
    },
  },
  {
    path: '/sign-in',
    name: 'sign-in',
    component: () => import('../pages/SignIn.vue'),
    meta: { title: 'shell.signIn', public: true },
  },
]
