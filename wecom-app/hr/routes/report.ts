import { ChartBarIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/report',
    name: 'report',
    component: () => import('../pages/report/ReportPage.vue'),
    meta: {
      title: 'report.title',
      menu: { order: 50, titleKey: 'report.title', icon: ChartBarIcon, may: 'report.read' },
    },
  },
]
