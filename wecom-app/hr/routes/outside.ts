import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/campaigns/:id/outside',
    name: 'campaign-outside',
    component: () => import('../pages/outside/OutsidePage.vue'),
    props: true,
    meta: { title: 'outside.title', under: 'campaigns' },
  },
]
