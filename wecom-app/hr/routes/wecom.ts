import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/wecom',
    name: 'wecom',
    component: () => import('../pages/wecom/WecomPage.vue'),
    meta: { title: 'wecom.title', under: 'settings' },
  },
]
