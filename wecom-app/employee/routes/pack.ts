import type { RouteRecordRaw } from 'vue-router'
import PackHome from '../pages/PackHome.vue'

/** The pack itself comes with the program; whatever a tap leads to comes with the tap. */
export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'pack', component: PackHome, meta: { title: 'pack.title' } },
]
