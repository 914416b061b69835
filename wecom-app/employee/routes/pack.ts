import type { RouteRecordRaw } from 'vue-router'
import CardPage from '../pages/CardPage.vue'
import PackHome from '../pages/PackHome.vue'

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'pack', component: PackHome, meta: { title: 'pack.title' } },
  { path: '/cards/:id', name: 'card', component: CardPage, props: true, meta: { title: 'pack.card' } },
]
