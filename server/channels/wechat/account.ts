import { z } from 'zod'
import { wechatTemplateKinds, wechatTemplateWords } from '../../kernel/house.ts'

const appid = z.string().regex(/^wx[A-Za-z0-9]{4,30}$/)
const secret = z.string().min(16).max(200)
/** A key of a template, such as `thing1`: its letters say what kind of value it takes. */
const key = z.string().regex(/^[a-z_]{1,30}\d{1,3}$/)

/** The file of FULIKA_WECHAT_FILE: our service account, and our mini program where there is one. */
export const WechatFile = z.strictObject({
  appid,
  secret,
  /** What callbacks are verified with; the account must push in the safe mode. Null: it pushes nothing. */
  callback: z
    .strictObject({
      token: z.string().regex(/^[A-Za-z0-9]{3,32}$/),
      encodingAesKey: z.string().regex(/^[A-Za-z0-9]{43}$/),
    })
    .nullable()
    .default(null),
  miniProgram: z.strictObject({ appid, secret }).nullable().default(null),
  /** The Open Platform account that both hang on: a unionid is one within it alone. */
  openPlatformId: z.string().min(1).max(64).nullable().default(null),
  /** Which template tells what, and by which of its keys. */
  templates: z
    .partialRecord(
      z.enum(wechatTemplateKinds),
      z.strictObject({
        id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
        keys: z.partialRecord(z.enum(wechatTemplateWords), key),
      }),
    )
    .default({}),
})
export type WechatAccount = z.output<typeof WechatFile>
