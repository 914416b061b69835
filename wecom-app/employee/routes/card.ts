import type { RouteRecordRaw } from 'vue-router'

/** What one does with a card: each page a chunk of its own, with its texts. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/cards/:id',
    name: 'card',
    component: () => import('../pages/card/CardPage.vue'),
    props: true,
    meta: { title: 'pack.card', areas: ['card'] },
  },
  {
    path: '/cards/:id/pay',
    name: 'pay',
    component: () => import('../pages/pay/PayPage.vue'),
    props: true,
    meta: { title: 'pay.title', areas: ['pay'] },
  },
  {
    path: '/pay',
    name: 'pay-all',
    component: () => import('../pages/pay/PayPage.vue'),
    meta: { title: 'pay.title', areas: ['pay'] },
  },
  {
    path: '/cards/:id/shops',
    name: 'shops',
    component: () => import('../pages/card/ShopsPage.vue'),
    props: true,
    meta: { title: 'card.shops.title', areas: ['card'] },
  },
  {
    path: '/cards/:id/care',
    name: 'care',
    component: () => import('../pages/card/CarePage.vue'),
    props: true,
    meta: { title: 'care.title', areas: ['care'] },
  },
  {
    path: '/cards/:id/keep',
    name: 'keep',
    component: () => import('../pages/keep/KeepPage.vue'),
    props: true,
    meta: { title: 'keep.title', areas: ['keep'] },
  },
  {
    path: '/cards/:id/print',
    name: 'print',
    component: () => import('../pages/keep/PrintPage.vue'),
    props: true,
    meta: { title: 'keep.print.title', areas: ['keep'] },
  },
  {
    path: '/bind',
    name: 'bind',
    component: () => import('../pages/bind/BindPage.vue'),
    meta: { title: 'bind.title', areas: ['bind'] },
  },
  {
    path: '/device/:token',
    name: 'device',
    component: () => import('../pages/bind/DevicePage.vue'),
    props: true,
    meta: { title: 'bind.device.title', areas: ['bind'], public: true },
  },
]
