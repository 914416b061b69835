import type { Context } from 'koa'
import Router from 'koa-router'
import QRCode from 'qrcode'
import type { WecomState } from './state.ts'
import { wayBehind } from './customer-control.ts'

/**
 * The address of a contact way's QR code: the picture for whoever fetches it, and for a browser the way to the outside
 * worker's phone that scans it.
 */
export function qrRoutes(state: WecomState): Router {
  const router = new Router()
  router.get('/qr/:id', async (ctx: Context) => {
    const url = `${ctx.protocol}://${ctx.host}${ctx.path}`
    if (!wayBehind(state, url)) {
      ctx.status = 404
      return
    }
    if (ctx.get('accept').includes('text/html')) {
      ctx.redirect(`/worker?${new URLSearchParams({ scan: url }).toString()}`)
      return
    }
    ctx.type = 'image/png'
    ctx.body = await QRCode.toBuffer(url, { errorCorrectionLevel: 'M', margin: 4, width: 600 })
  })
  return router
}
