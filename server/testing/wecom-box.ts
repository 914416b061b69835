import { startWecomSandbox, type WecomSandbox } from '../../sandbox/wecom/server.ts'
import type { WecomApp, WecomPort } from '../channels/ports.ts'
import type { WecomOptions } from '../channels/wecom/adapter.ts'
import { OutsideError } from '../kernel/outside.ts'
import { wecomOf } from './wecom.ts'

const known = { corpId: 'wwSandbox01', agentId: 1000002, secret: 'SANDBOXsecret' }
/** The self-built app of a box. */
export const boxApp: WecomApp = {
  ...known,
  kind: 'self_built',
  suiteId: null,
  contactSecret: 'SANDBOXcontacts',
}
export const boxRedirect = 'http://cards.example:8443/sign-in'

/** A sandbox with one company of 104 members, a clock that stands, and the adapter before it. */
export interface Box {
  readonly box: WecomSandbox
  readonly port: WecomPort
  /** Another process: nothing shared but what `more` names. */
  readonly adapter: (more?: Partial<WecomOptions>) => WecomPort
  readonly now: () => number
  readonly advance: (ms: number) => void
  readonly close: () => Promise<void>
}

/** Starts one. 张三 may see and be seen; 李四 has no licence; 王五 is outside the visible range; m0 to m99 are staff. */
export async function openBox(): Promise<Box> {
  let nowMs = Date.UTC(2026, 0, 5, 2)
  const now = () => nowMs
  const box = await startWecomSandbox({ now })
  box.control.upsertCorp({
    ...known,
    contactSecret: 'SANDBOXcontacts',
    accountLimit: 100_000,
    trustedDomains: ['cards.example:8443'],
    members: [
      { userid: 'ZhangSan', name: '张三', mobile: '13800000001' },
      { userid: 'LiSi', name: '李四', licensed: false },
      { userid: 'WangWu', name: '王五', visible: false },
      ...Array.from({ length: 100 }, (_, i) => ({ userid: `m${i}`, name: `员工${i}` })),
    ],
  })
  const adapter = (more: Partial<WecomOptions> = {}) => wecomOf(box, { now, ...more })
  const advance = (ms: number) => {
    nowMs += ms
  }
  return { box, port: adapter(), adapter, now, advance, close: () => box.close() }
}

/** The error that a call ends in; whatever it tells, it tells no token and no secret. */
export async function failureOf(run: Promise<unknown>): Promise<OutsideError> {
  const error: unknown = await run.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OutsideError)) throw new Error('expected an OutsideError', { cause: error })
  const told = `${error.message} ${error.code} ${error.stack ?? ''} ${JSON.stringify(error)}`
  if (/SANDBOXTOKEN|SANDBOXsecret|SANDBOXPERMANENT|access_token/.test(told)) throw new Error('the error tells a secret')
  return error
}

/** The bytes of a card for some members. */
export function cardBody(touser: string, title = '节日快乐', app: WecomApp = boxApp): string {
  return JSON.stringify({
    touser,
    msgtype: 'template_card',
    agentid: app.agentId,
    template_card: {
      card_type: 'text_notice',
      main_title: { title },
      card_action: { type: 1, url: 'http://cards.example:8443/open' },
    },
    enable_duplicate_check: 1,
    duplicate_check_interval: 14_400,
  })
}
