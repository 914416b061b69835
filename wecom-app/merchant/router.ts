import { watch } from 'vue'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { collectRoutes } from '../lib/collect-routes.ts'
import { isHeld } from './desk.ts'

const files = import.meta.glob<{ routes: RouteRecordRaw[] }>('./routes/*.ts', { eager: true })

export const router = createRouter({
  history: createWebHistory('/till/'),
  routes: [
    ...collectRoutes(files),
    {
      path: '/:rest(.*)*',
      name: 'not-found',
      component: () => import('./pages/NotFound.vue'),
      meta: { title: 'till.notFound' },
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

/** While nobody knows what came of something that was sent there is no other page: from it the same could be sent again. */
router.beforeEach((to) => (isHeld.value && to.name !== 'till' ? { name: 'till' } : true))
watch(isHeld, (held) => {
  if (held) void router.push({ name: 'till' })
})
