import type { RouteRecordRaw } from 'vue-router'

/** For people without an account: no sign-in goes before. A chunk of its own, so that the pack stays as light as it is. */
const page = () => import('../pages/claim/ClaimPage.vue')

export const routes: RouteRecordRaw[] = [
  {
    path: '/claim/:token',
    name: 'claim',
    component: page,
    props: (route) => ({ kind: 'claims', token: route.params['token'] }),
    meta: { title: 'claim.title', public: true, areas: ['claim'] },
  },
  {
    path: '/claim-link/:token',
    name: 'claim-link',
    component: page,
    props: (route) => ({ kind: 'claim-links', token: route.params['token'] }),
    meta: { title: 'claim.title', public: true, areas: ['claim'] },
  },
]
