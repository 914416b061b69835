import type { RouteRecordRaw } from 'vue-router'
import TillPage from '../pages/TillPage.vue'

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'till', component: TillPage, meta: { title: 'till.title' } },
  {
    path: '/today',
    name: 'today',
    component: () => import('../pages/TodayPage.vue'),
    meta: { title: 'till.today' },
  },
  {
    path: '/today/:id',
    name: 'purchase',
    component: () => import('../pages/PurchasePage.vue'),
    props: true,
    meta: { title: 'till.purchase', under: 'today' },
  },
  {
    path: '/shift',
    name: 'shift',
    component: () => import('../pages/ShiftPage.vue'),
    meta: { title: 'till.shift' },
  },
  {
    path: '/enter/:token',
    name: 'enter',
    component: () => import('../pages/EnterPage.vue'),
    props: true,
    meta: { title: 'till.enter', public: true },
  },
]
