import { CartIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

/** What people who buy for themselves find in the storefront. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/shelf',
    name: 'shelf',
    component: () => import('../pages/shelf/ShelfPage.vue'),
    meta: { title: 'shelf.title', menu: { order: 13, titleKey: 'shelf.title', icon: CartIcon } },
  },
  {
    path: '/shelf/new/:versionId',
    name: 'new-listing',
    component: () => import('../pages/shelf/NewListingPage.vue'),
    meta: { title: 'shelf.add', under: 'shelf' },
  },
  {
    path: '/shelf/:id',
    name: 'listing',
    component: () => import('../pages/shelf/ListingPage.vue'),
    meta: { title: 'shelf.one', under: 'shelf' },
  },
]
