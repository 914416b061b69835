import { recallMessage, updateCard } from './change-message.ts'
import { appRoute, type ApiRoute } from './gate.ts'
import { sendMessage } from './send.ts'
import { takeFault } from './state.ts'

/** The calls about app messages (protocol sheet 5). Sending does not count towards the base limits. */
export const messageRoutes: readonly ApiRoute[] = [
  appRoute(
    'POST',
    '/message/send',
    ({ state, ctx, corp, app, raw }) =>
      sendMessage(state, corp, app, raw, takeFault(state, ['message_lose'], ctx.path) !== null),
    { counted: false },
  ),
  appRoute('POST', '/message/update_template_card', updateCard),
  appRoute('POST', '/message/recall', recallMessage),
]
