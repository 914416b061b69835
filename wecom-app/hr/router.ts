import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { collectRoutes } from '../lib/collect-routes.ts'
import { ensureSession } from './session.ts'

const files = import.meta.glob<{ routes: RouteRecordRaw[] }>('./routes/*.ts', { eager: true })

export const router = createRouter({
  history: createWebHistory('/console/'),
  routes: [
    ...collectRoutes(files),
    {
      path: '/:rest(.*)*',
      name: 'not-found',
      component: () => import('./pages/NotFound.vue'),
      meta: { title: 'common.missing.title' },
    },
  ],
  // A page that only gives itself another address (a new draft that got its id) stays where it is.
  scrollBehavior: (_to, _from, saved) => (history.state?.keepPlace === true ? false : (saved ?? { top: 0 })),
})

router.beforeEach(async (to) => {
  if (to.meta.public === true) return true
  const signedIn = await ensureSession()
  return signedIn ? true : { name: 'sign-in', query: to.path === '/' ? {} : { return: to.fullPath } }
})
