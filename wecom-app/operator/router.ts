import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { collectRoutes } from '../lib/collect-routes.ts'

const files = import.meta.glob<{ routes: RouteRecordRaw[] }>('./routes/*.ts', { eager: true })

export const router = createRouter({
  history: createWebHistory('/ops/'),
  routes: collectRoutes(files),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})
