import { askEarly } from '../lib/early-reads.ts'

/** Runs before the program is there: on a slow line the shelf travels beside it (page budget, D8). */
document.documentElement.dataset['text'] = localStorage.getItem('fulika.largeText') === 'yes' ? 'large' : 'usual'
askEarly([
  ...(location.pathname === '/shop/' && location.search === '' ? ['/store/shelf'] : []),
  '/store/setting',
  '/store/session',
])
