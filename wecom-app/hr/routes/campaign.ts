import { CalendarIcon, GiftIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/campaigns',
    name: 'campaigns',
    component: () => import('../pages/campaign/CampaignListPage.vue'),
    meta: { title: 'campaign.list.title', menu: { order: 30, titleKey: 'campaign.list.title', icon: GiftIcon } },
  },
  {
    path: '/campaigns/new',
    name: 'campaign-new',
    component: () => import('../pages/campaign/CampaignPage.vue'),
    props: { id: null },
    meta: { title: 'campaign.editor.titleNew', under: 'campaigns' },
  },
  {
    path: '/campaigns/:id',
    name: 'campaign',
    component: () => import('../pages/campaign/CampaignPage.vue'),
    props: true,
    meta: { title: 'campaign.list.title', under: 'campaigns' },
  },
  {
    path: '/recurring',
    name: 'recurring-list',
    component: () => import('../pages/recurring/RecurringListPage.vue'),
    meta: { title: 'recurring.title', menu: { order: 35, titleKey: 'recurring.title', icon: CalendarIcon } },
  },
  {
    path: '/recurring/new',
    name: 'recurring-new',
    component: () => import('../pages/recurring/RecurringPage.vue'),
    props: { id: null },
    meta: { title: 'recurring.create', under: 'recurring-list' },
  },
  {
    path: '/recurring/:id',
    name: 'recurring',
    component: () => import('../pages/recurring/RecurringPage.vue'),
    props: true,
    meta: { title: 'recurring.title', under: 'recurring-list' },
  },
]
