import type Router from 'koa-router'
import { contactWayRoutes } from './contact-way-api.ts'
import { customerRoutes } from './customer-api.ts'
import { directoryRoutes } from './directory-api.ts'
import { routerOf } from './gate.ts'
import { ticketRoutes } from './js-tickets.ts'
import { massRoutes } from './mass-api.ts'
import { mediaRoutes } from './media-api.ts'
import { licenceRoutes } from './licence-api.ts'
import { messageRoutes } from './message-api.ts'
import { identityRoutes } from './identity-api.ts'
import type { WecomState } from './state.ts'
import { suiteRoutes } from './suite-api.ts'
import { tagRoutes } from './tag-api.ts'
import { tokenRoutes } from './token-api.ts'
import { welcomeRoutes } from './welcome-api.ts'
import { writeRoutes } from './write-api.ts'

/** The routes below /cgi-bin. */
export function apiRoutes(state: WecomState): Router {
  return routerOf(state, [
    ...tokenRoutes,
    ...messageRoutes,
    ...directoryRoutes,
    ...writeRoutes,
    ...ticketRoutes,
    ...mediaRoutes,
    ...identityRoutes,
    ...suiteRoutes,
    ...licenceRoutes,
    ...contactWayRoutes,
    ...customerRoutes,
    ...welcomeRoutes,
    ...tagRoutes,
    ...massRoutes,
  ])
}
