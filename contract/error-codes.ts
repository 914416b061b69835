import { moneyErrorCodes, type ErrorText } from './money-error-codes.ts'
import { shelfErrorCodes } from './shelf-error-codes.ts'
import { storeErrorCodes } from './store-error-codes.ts'
import { tillErrorCodes } from './till-error-codes.ts'

/** Every refusal that can leave the server: its status, and in both languages what happened and what to do now. */
export const errorCodes = {
  ...moneyErrorCodes,
  ...tillErrorCodes,
  ...shelfErrorCodes,
  ...storeErrorCodes,
  unauthenticated: { status: 401, zh: '请先登录，然后重试。', en: 'Sign in first, then try again.' },
  forbidden: {
    status: 403,
    zh: '您的角色不能执行此操作，请联系管理员授权。',
    en: 'Your role may not do this. Ask an administrator for access.',
  },
  not_found: { status: 404, zh: '找不到该内容，请检查地址或编号。', en: 'Not found. Check the address or the number.' },
  method_not_allowed: {
    status: 405,
    zh: '此地址不支持该请求方法，请按 Allow 头中的方法重试。',
    en: 'This address does not take that method. Use one named in the Allow header.',
  },
  malformed_request: {
    status: 422,
    zh: '请求内容格式不正确，请改正指出的字段后重试。',
    en: 'The request is malformed. Correct the named field and try again.',
  },
  idempotency_key_missing: {
    status: 422,
    zh: '缺少 Idempotency-Key 请求头，请附上 1 至 128 位的唯一键后重试。',
    en: 'The Idempotency-Key header is missing or not valid. Send a unique key of 1 to 128 characters.',
  },
  idempotency_conflict: {
    status: 409,
    zh: '同一 Idempotency-Key 已用于不同内容，请换一个新键。',
    en: 'This Idempotency-Key was used with other content. Use a new key.',
  },
  state_conflict: {
    status: 409,
    zh: '当前状态不允许此操作，请刷新后查看最新状态。',
    en: 'The present state does not allow this. Refresh to see the latest state.',
  },
  content_changed: {
    status: 409,
    zh: '内容在您查看之后已被修改，请刷新并重新确认。',
    en: 'The content has changed since you saw it. Refresh and confirm again.',
  },
  monthly_limit_low: {
    status: 422,
    zh: '每月上限不够发一张卡，请调高上限或降低面额。',
    en: 'The monthly limit does not pay for one card. Raise the limit or lower the amount.',
  },
  maker_is_checker: {
    status: 403,
    zh: '提交人不能审批自己的活动，请由另一位审批人处理。',
    en: 'The maker cannot approve this. Ask another approver.',
  },
  payload_too_large: {
    status: 413,
    zh: '内容超过大小限制，请缩小或拆分后重试。',
    en: 'The content is over the size limit. Make it smaller or split it.',
  },
  unsupported_media_type: {
    status: 415,
    zh: '不支持该内容类型，请使用 application/json。',
    en: 'This content type is not supported. Send application/json.',
  },
  too_many_requests: {
    status: 429,
    zh: '请求过于频繁，请按 Retry-After 所示秒数稍后重试。',
    en: 'Too many requests. Wait for the seconds in Retry-After, then try again.',
  },
  busy: { status: 503, zh: '系统繁忙，请稍后重试。', en: 'The system is busy. Try again shortly.' },
  internal: {
    status: 500,
    zh: '系统出错，请稍后重试；若仍失败，请把请求编号告知支持人员。',
    en: 'Something went wrong. Try again; if it fails again, give support the request id.',
  },
  roster_refused: {
    status: 422,
    zh: '名单文件无法读取，请按说明改正文件后重新上传。',
    en: 'The roster file cannot be read. Correct it as described and upload it again.',
  },
  roster_not_ready: {
    status: 409,
    zh: '名单尚未就绪，请先处理完所有问题行。',
    en: 'The roster is not ready. Settle its faulty rows first.',
  },
  roster_uploaded_before: {
    status: 409,
    zh: '这个文件已经上传过，请使用之前的名单，或确认后再次上传。',
    en: 'This file was uploaded before. Use the earlier roster, or confirm that you want it again.',
  },
  person_taken: {
    status: 409,
    zh: '该账号或手机号已属于公司的另一位员工，请核对后重试。',
    en: 'Another person of the company has this account or mobile number. Check it and try again.',
  },
  recipients_empty: {
    status: 409,
    zh: '没有任何领取人，请选择部门或人员。',
    en: 'There are no recipients. Choose departments or people.',
  },
  face_out_of_range: {
    status: 409,
    zh: '面额不在卡模板允许的范围内，请改用允许的面额。',
    en: 'The face value is outside what the card template allows. Choose an allowed value.',
  },
  face_over_limit: {
    status: 409,
    zh: '面额超过法规限额，请降低面额或改用记名卡。',
    en: 'The face value is over the legal limit. Lower it or use a named card.',
  },
  template_refused: {
    status: 422,
    zh: '卡模板的条款不合规或数值不成立，请改正指出的字段。',
    en: 'The card template breaks a rule or its figures do not fit. Correct the named field.',
  },
  send_time_past: {
    status: 409,
    zh: '发送时间已过，请改为立即发送或选择将来的时间。',
    en: 'The time of sending has passed. Send at once or choose a later time.',
  },
  greeting_unknown_field: {
    status: 409,
    zh: '祝福语里有不认识的占位符，请只用 {姓名}、{部门}、{公司}。',
    en: 'The greeting has an unknown placeholder. Use only {姓名}, {部门} and {公司}.',
  },
  too_many_recipients: {
    status: 409,
    zh: '一次活动最多 200,000 人，请分成几次发放。',
    en: 'A campaign takes 200,000 people at most. Split it into several.',
  },
  payment_route_barred: {
    status: 409,
    zh: '该金额不能使用此付款方式，请改用对公转账或企业钱包。',
    en: 'This payment route is barred for this amount. Use a bank transfer or the company wallet.',
  },
  company_unknown: {
    status: 404,
    zh: '没有这个公司代号，请核对拼写，或向管理员要来再试。',
    en: 'There is no company with this code. Check its spelling, or ask your administrator for it.',
  },
  company_code_taken: {
    status: 409,
    zh: '该公司代号已被使用，请换一个。',
    en: 'This company code is taken. Choose another one.',
  },
  company_suspended: {
    status: 403,
    zh: '该企业已停用，请联系平台运营人员。',
    en: 'This company is suspended. Ask the operator of the platform.',
  },
  wecom_not_connected: {
    status: 409,
    zh: '该企业尚未连接企业微信，请联系管理员完成连接。',
    en: 'This company is not connected to WeCom yet. Ask an administrator to connect it.',
  },
  sign_in_expired: {
    status: 401,
    zh: '本次登录已过期或已被使用，请返回登录页重新登录。',
    en: 'This sign-in has expired or was used before. Go back to the sign-in page and begin again.',
  },
  sign_in_refused: {
    status: 401,
    zh: '登录未通过，请检查后重新登录。',
    en: 'The sign-in was refused. Check what you entered and begin again.',
  },
  first_sign_in_refused: {
    status: 401,
    zh: '首次登录链接已失效，请向平台运营人员要一个新的；公司已连接企业微信的，请用企业微信登录。',
    en: 'This first sign-in link is no longer valid. Ask the operator of the platform for a new one, or sign in with WeCom if your company is connected.',
  },
  first_sign_in_nobody: {
    status: 409,
    zh: '该企业还没有管理员，请先用 npm run operator -- apply 写入一位角色为 admin 的成员。',
    en: 'This company has no administrator yet. Add a member with the role admin by npm run operator -- apply first.',
  },
  sign_in_not_allowed: {
    status: 403,
    zh: '此企业微信账号没有访问权限，请联系贵公司管理员开通。',
    en: 'This WeCom account has no access here. Ask an administrator of your company for it.',
  },
  not_on_staff_list: {
    status: 403,
    zh: '您的企业微信账号不在公司的福利名单里，请联系人事核对名单中的手机号或企业微信账号。',
    en: 'Your WeCom account is not on the company’s staff list. Ask HR to check the mobile number or account there.',
  },
  wecom_secret_missing: {
    status: 422,
    zh: '请填写应用的 Secret；更换企业或应用后需要重新填写。',
    en: 'Enter the app secret. It is needed again after the company or the app has changed.',
  },
  wecom_secret_refused: {
    status: 422,
    zh: '企业微信不接受这个企业 ID 和 Secret，原来的设置没有改动，请核对后重新填写。',
    en: 'WeCom does not take this corp ID and secret. Nothing was changed. Check both and enter them again.',
  },
  wecom_install_expired: {
    status: 409,
    zh: '这次安装已过期或已完成，请回到企业微信连接页重新安装。',
    en: 'This install is over or was finished before. Start it again from the WeCom connection page.',
  },
  wecom_install_lost: {
    status: 409,
    zh: '企业微信已记下这次授权，但结果没有送达，请在企业微信管理后台删除本应用，再重新安装。',
    en: 'WeCom noted this install, but its answer was lost. Remove the app in the WeCom console and install it again.',
  },
  mobile_not_shown: {
    status: 403,
    zh: '企业微信没有提供您的手机号，请再试一次并同意授权；仍不行时，请人事把您的企业微信账号填进名单。',
    en: 'WeCom did not show your mobile number. Try again and agree to share it, or ask HR to put your WeCom account on the list.',
  },
  mobile_has_account: {
    status: 409,
    zh: '名单里这个手机号已关联另一个企业微信账号，已告知人事，请等人事确认后再打开。',
    en: 'This mobile number on the list belongs to another WeCom account. HR has been told; come back once they have confirmed.',
  },
  wecom_corp_taken: {
    status: 409,
    zh: '该企业微信已连接到另一家企业，请检查企业 ID。',
    en: 'This WeCom corp is connected to another company. Check the corp id.',
  },
  delivery_not_retryable: {
    status: 409,
    zh: '该推送不能重发，请查看其状态和原因。',
    en: 'This delivery cannot be sent again. Look at its state and reason.',
  },
  claim_refused: {
    status: 403,
    zh: '没有通过：请核对手机号和 5 分钟内收到的验证码；手机号不在公司名单上的，请联系人事。',
    en: 'This did not match. Check the mobile number and the code, which lasts 5 minutes. If the number is not on the company’s list, ask HR.',
  },
  claim_closed: {
    status: 404,
    zh: '这个领取入口已失效：领过的人请直接打开卡包，没领过的请向人事要新的二维码或链接。',
    en: 'This way to claim is no longer open. If you have claimed, your card is in your card pack; if not, ask HR for a new QR code or link.',
  },
  claim_phone_missing: {
    status: 409,
    zh: '名单上没有此人的手机号：请填写本人的手机号，领取时要用它收验证码。',
    en: 'The list has no mobile number of this person. Enter it: the code for claiming is sent there.',
  },
  contact_members_missing: {
    status: 409,
    zh: '请选择至少一位、最多 100 位接待成员。',
    en: 'Choose at least one and at most 100 members who serve this QR code.',
  },
  contact_site_taken: {
    status: 409,
    zh: '这个活动在该地点已有二维码，请换一个地点名称，或先停用原来的。',
    en: 'This campaign already has a QR code at this site. Use another name, or end that one first.',
  },
  mass_send_nobody: {
    status: 409,
    zh: '没有需要提醒的外部联系人，请等有人加好友之后再试。',
    en: 'There is nobody to remind: every contact has claimed, or nobody was added yet.',
  },
  origin_refused: {
    status: 403,
    zh: '请求来源不受信任，请从本系统页面操作。',
    en: 'The request came from an untrusted origin. Use the pages of this system.',
  },
  provider_unavailable: {
    status: 503,
    zh: '外部服务暂不可用，请稍后重试。',
    en: 'An outside service is not available. Try again later.',
  },
} as const satisfies Record<string, ErrorText>

export type ErrorCode = keyof typeof errorCodes
export type Lang = 'zh' | 'en'

/** The sentence shown to a person for a code. */
export function errorSentence(code: ErrorCode, lang: Lang): string {
  return errorCodes[code][lang]
}
