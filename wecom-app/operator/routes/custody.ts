import { SecuredIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

/** What issuers owe on their cards, and what they keep in custody against it. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/custody',
    name: 'custody',
    component: () => import('../pages/custody/CustodyPage.vue'),
    meta: {
      title: 'custody.title',
      menu: { order: 28, titleKey: 'custody.menu', icon: SecuredIcon, groupKey: 'settlement.group' },
    },
  },
  {
    path: '/custody/:id',
    name: 'custody-brand',
    component: () => import('../pages/custody/CustodyBrandPage.vue'),
    meta: { title: 'custody.one', under: 'custody' },
  },
]
