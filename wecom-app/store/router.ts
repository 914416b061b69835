import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { collectRoutes } from '../lib/collect-routes.ts'
import { takeRefusal } from './store-state.ts'
import { tellVisit } from './tell-visit.ts'
import { needTexts } from './texts.ts'

const files = import.meta.glob<{ routes: RouteRecordRaw[] }>('./routes/*.ts', { eager: true })

// Before the router's history reads the address, which is when it is made.
takeRefusal()
export const router = createRouter({
  history: createWebHistory('/shop/'),
  routes: [
    ...collectRoutes(files),
    {
      path: '/:rest(.*)*',
      name: 'not-found',
      component: () => import('./pages/NotFound.vue'),
      meta: { title: 'shelf.title' },
    },
  ],
  // A sheet opens over the shelf, which stays where it was.
  scrollBehavior: (to, from, saved) => saved ?? (to.matched[0] === from.matched[0] ? false : { top: 0 }),
})

/** A page comes with its texts: `areas` names their files. */
router.beforeEach(async (to) => needTexts(to.meta.areas ?? []))
router.afterEach((to) => tellVisit(to.name === 'buy' ? ['visit', 'view'] : ['visit']))
