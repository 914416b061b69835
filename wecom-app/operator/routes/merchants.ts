import { ShopIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

/** Who takes cards, where, and who stands at the tills. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/merchants',
    name: 'merchants',
    component: () => import('../pages/merchants/MerchantsPage.vue'),
    meta: { title: 'merchants.title', menu: { order: 12, titleKey: 'merchants.title', icon: ShopIcon } },
  },
  {
    path: '/merchants/:id',
    name: 'merchant',
    component: () => import('../pages/merchants/MerchantPage.vue'),
    meta: { title: 'merchants.one', under: 'merchants' },
  },
]
