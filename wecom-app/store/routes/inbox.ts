import type { RouteRecordRaw } from 'vue-router'

/** What a buyer was told, whether or not WeChat told them too. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/inbox',
    name: 'inbox',
    component: () => import('../pages/inbox/InboxPage.vue'),
    meta: { title: 'inbox.title', areas: ['inbox', 'order'] },
  },
]
