import { WalletIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/funds',
    name: 'funds',
    component: () => import('../pages/funds/FundsPage.vue'),
    meta: { title: 'funds.title', menu: { order: 40, titleKey: 'funds.title', icon: WalletIcon, may: 'wallet.read' } },
  },
  {
    path: '/orders/:id',
    name: 'order',
    component: () => import('../pages/payment/PaymentPage.vue'),
    props: (route) => ({ id: String(route.params['id']) }),
    meta: { title: 'payment.title', under: 'funds' },
  },
]
