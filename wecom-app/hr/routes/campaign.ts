import { GiftIcon } from 'tdesign-icons-vue-next'
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
]
