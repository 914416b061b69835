import type { RouteRecordRaw } from 'vue-router'

const areas = ['order', 'gap', 'trust', 'buy']
/** What somebody bought. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/orders',
    name: 'orders',
    component: () => import('../pages/order/OrdersPage.vue'),
    meta: { title: 'shelf.orders', areas },
  },
  {
    path: '/orders/:id',
    name: 'order',
    component: () => import('../pages/order/OrderPage.vue'),
    props: true,
    meta: { title: 'order.title', areas },
  },
]
