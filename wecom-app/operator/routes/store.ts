import { ChartBarIcon, ImageIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

/** What people put on the cards that they buy, and how many buy at all. */
export const routes: RouteRecordRaw[] = [
  {
    path: '/review',
    name: 'review',
    component: () => import('../pages/review/ReviewPage.vue'),
    meta: {
      title: 'review.title',
      menu: { order: 14, titleKey: 'review.title', icon: ImageIcon, may: 'cover.review' },
    },
  },
  {
    path: '/funnel',
    name: 'funnel',
    component: () => import('../pages/funnel/FunnelPage.vue'),
    meta: { title: 'funnel.title', menu: { order: 15, titleKey: 'funnel.title', icon: ChartBarIcon } },
  },
]
