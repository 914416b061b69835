import { BillIcon, DiscountIcon, FactCheckIcon, ForkIcon, MoneyIcon, RollbackIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

const groupKey = 'settlement.group'

/** Where money goes after an order is paid. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/settlement',
    name: 'settlement',
    component: () => import('../pages/settlement/SettlementPage.vue'),
    meta: {
      title: 'settlement.title',
      menu: { order: 22, titleKey: 'settlement.title', icon: ForkIcon, groupKey },
    },
  },
  {
    path: '/payouts',
    name: 'payouts',
    component: () => import('../pages/settlement/PayoutsPage.vue'),
    meta: { title: 'payouts.title', menu: { order: 23, titleKey: 'payouts.title', icon: MoneyIcon, groupKey } },
  },
  {
    path: '/refunds',
    name: 'refunds',
    component: () => import('../pages/settlement/RefundsPage.vue'),
    meta: { title: 'refunds.title', menu: { order: 24, titleKey: 'refunds.title', icon: RollbackIcon, groupKey } },
  },
  {
    path: '/invoices',
    name: 'invoices',
    component: () => import('../pages/settlement/InvoicesPage.vue'),
    meta: { title: 'invoices.title', menu: { order: 25, titleKey: 'invoices.title', icon: BillIcon, groupKey } },
  },
  {
    path: '/reconciliation',
    name: 'reconciliation',
    component: () => import('../pages/settlement/ReconciliationPage.vue'),
    meta: {
      title: 'reconciliation.title',
      menu: { order: 26, titleKey: 'reconciliation.title', icon: FactCheckIcon, groupKey },
    },
  },
  {
    path: '/brands',
    name: 'brands',
    component: () => import('../pages/settlement/BrandsPage.vue'),
    meta: { title: 'terms.title', menu: { order: 27, titleKey: 'terms.title', icon: DiscountIcon, groupKey } },
  },
  {
    path: '/brands/:id',
    name: 'brand-terms',
    component: () => import('../pages/settlement/TermsPage.vue'),
    meta: { title: 'terms.one', under: 'brands' },
  },
]
