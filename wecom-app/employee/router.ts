import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { collectRoutes } from '../lib/collect-routes.ts'
import { pages } from './audience.ts'
import { needTexts } from './texts.ts'

const files = import.meta.glob<{ routes: RouteRecordRaw[] }>('./routes/*.ts', { eager: true })

export const router = createRouter({
  history: createWebHistory(pages),
  routes: [
    ...collectRoutes(files),
    {
      path: '/:rest(.*)*',
      name: 'not-found',
      component: () => import('./pages/NotFound.vue'),
      meta: { title: 'pack.notFound' },
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

/** A page comes with its texts: `areas` names their files. */
router.beforeEach(async (to) => needTexts(to.meta.areas ?? []))
