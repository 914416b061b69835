import type { RouteRecordRaw } from 'vue-router'

/** Passing a card on, and getting one from a colleague. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/cards/:id/give',
    name: 'give',
    component: () => import('../pages/gift/GivePage.vue'),
    props: true,
    meta: { title: 'gift.give.title', areas: ['gift'] },
  },
  {
    path: '/gifts',
    name: 'gifts',
    component: () => import('../pages/gift/GiftsPage.vue'),
    meta: { title: 'gift.given.title', areas: ['gift'] },
  },
  {
    path: '/gifts/:id',
    name: 'given',
    component: () => import('../pages/gift/GivenPage.vue'),
    props: true,
    meta: { title: 'gift.given.one', areas: ['gift'] },
  },
  {
    path: '/gift/:token',
    name: 'gift',
    component: () => import('../pages/gift/GiftPage.vue'),
    props: true,
    meta: { title: 'gift.door.title', areas: ['gift'], public: true },
  },
]
