import type { RouteRecordRaw } from 'vue-router'
import ShelfPage from '../pages/shelf/ShelfPage.vue'

/** The shelf comes with the program. A sheet opens over it and has an address of its own, which leads straight to the payment. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'shelf',
    component: ShelfPage,
    meta: { title: 'shelf.title' },
    children: [
      {
        path: 'buy/:id',
        name: 'buy',
        component: () => import('../pages/buy/BuySheet.vue'),
        props: true,
        meta: { title: 'buy.title', areas: ['buy', 'gap', 'trust'] },
      },
    ],
  },
]
