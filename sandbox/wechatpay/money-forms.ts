import type Router from 'koa-router'
import { z, ZodError } from 'zod'
import { html, type Markup } from '../look/html.ts'
import { goBack } from '../look/page.ts'
import { changeBill, forgetBills } from './bills.ts'
import { retireCertificates, rotateCertificates } from './certificates.ts'
import { addIncome, incomeInput } from './income.ts'
import { moveByHand, outcomeInput, rulesInput, setRules, settleAll } from './money-control.ts'
import { failReasons, refundOutcomes, returnFailures } from './money-state.ts'
import { billInput } from './papers-api.ts'
import type { World } from './state.ts'

type Choice = readonly [value: string, label: string]
type Form = Record<string, string>

const latencies: readonly Choice[] = [
  ['0', '立刻'],
  ['10000', '10 秒'],
  ['60000', '1 分钟'],
  ['3600000', '1 小时'],
  ['never', '一直没有结果'],
]
const refundWords: Record<string, string> = {
  success: '成功',
  abnormal: '异常（收款卡有问题）',
  closed: '关闭',
  never: '一直处理中',
  user_abnormal: '拒绝：用户账户异常',
}
const reasonWords: Record<string, string> = {
  ACCOUNT_ABNORMAL: '接收方账户异常',
  NO_RELATION: '没有分账关系',
  RECEIVER_HIGH_RISK: '接收方高风险',
  RECEIVER_REAL_NAME_NOT_VERIFIED: '接收方未实名',
  NO_AUTH: '没有权限',
  RECEIVER_RECEIPT_LIMIT: '接收方收款超限',
  PAYER_ACCOUNT_ABNORMAL: '分账方账户异常',
  INVALID_REQUEST: '请求有误',
  BALANCE_NOT_ENOUGH: '余额不足',
  TIME_OUT_CLOSED: '超时关闭',
}
const changeWords: Record<string, string> = {
  missing: '少一行',
  extra: '多一行',
  amount: '金额多一分',
  late: '晚一天生成',
  empty: '没有一行',
}
const billWords: Record<string, string> = { trade: '交易账单', fund_flow: '资金账单', sharing: '分账账单' }
const reasonsOf = (codes: readonly string[]): Choice[] => codes.map((code) => [code, reasonWords[code] ?? code])
const wordsOf = (words: Record<string, string>): Choice[] => Object.entries(words)

function select(name: string, label: string, choices: readonly Choice[], chosen = ''): Markup {
  const options = choices.map(
    ([value, word]) => html`<option value="${value}" ${value === chosen ? html`selected` : null}>${word}</option>`,
  )
  return html`<label class="wide"
    >${label}<select name="${name}">
      ${options}
    </select></label
  >`
}
const input = (name: string, label: string, value: string, more: Markup | null = null): Markup =>
  html`<label class="wide">${label}<input name="${name}" value="${value}" ${more} /></label>`

/** One dial: a name, what it does, its fields and a button. */
function dial(path: string, name: string, does: string, fields: readonly Markup[], button = '设置'): Markup {
  const id = `dial-${path.replaceAll('/', '-')}`
  return html`<div class="dial">
    <div>
      <h3 id="${id}">${name}</h3>
      <p>${does}</p>
    </div>
    <form method="post" action="/money/${path}" aria-labelledby="${id}">${fields}<button>${button}</button></form>
  </div>`
}

/** The dials of money, bills and keys. */
export function moneyForms(world: World): Markup {
  const merchants: Choice[] = [...world.merchants.values()].map(({ mchid, shortName }) => [mchid, shortName])
  return html`${flowForms(world, merchants)}${paperForms(world, select('mchid', '商户', merchants))}`
}

function flowForms(world: World, merchants: readonly Choice[]): Markup {
  const { rules } = world.money
  const nowOf = (ms: number | null) => (ms === null ? 'never' : String(ms))
  const merchant = select('mchid', '商户', merchants)
  return html`<section class="panel">
    <h2>分账和退款的旋钮</h2>
    ${dial('latency', '多久有结果', '分账、回退和退款受理之后，多久到账。', [select('shareLatencyMs', '分账', latencies, nowOf(rules.shareLatencyMs)), select('returnLatencyMs', '回退', latencies, nowOf(rules.returnLatencyMs)), select('refundLatencyMs', '退款', latencies, nowOf(rules.refundLatencyMs))])}
    ${dial('receiver', '下一次分账失败', '这个接收方的下一笔分账失败，同一次的其他接收方照常。', [select('account', '接收方', merchants), select('failReason', '原因', reasonsOf(failReasons))], '打开')}
    ${dial('return', '下一次回退失败', '这个商户的下一笔回退失败。', [select('account', '退回方', merchants), select('failReason', '原因', reasonsOf(returnFailures))], '打开')}
    ${dial(
      'refund',
      '下一次退款的结果',
      '下一笔退款受理之后的结果。',
      [
        select(
          'outcome',
          '结果',
          [...refundOutcomes, 'user_abnormal'].map((one): Choice => [one, refundWords[one] ?? one]),
        ),
      ],
      '打开',
    )}
    ${dial('accept', '是否同意回退', '商户作为接收方，是否同意把分到的钱退回。', [
      merchant,
      select('acceptReturns', '回退', [
        ['yes', '同意'],
        ['no', '不同意'],
      ]),
    ])}
    ${dial(
      'move',
      '充值和提现',
      '提走一个商户的钱，它的退款和回退就会缺钱。',
      [
        merchant,
        input('yuan', '金额（元）', '100.00', html`inputmode="decimal"`),
        select('way', '方向', [
          ['in', '充值'],
          ['out', '提现'],
        ]),
      ],
      '执行',
    )}
    ${dial('settle', '立刻出结果', '所有处理中的分账、回退和退款马上有结果。', [], '执行')}
  </section>`
}

function paperForms(world: World, merchant: Markup): Markup {
  const yesterday = new Date(world.now() + 8 * 3_600_000 - 86_400_000).toISOString().slice(0, 10)
  return html`<section class="panel">
    <h2>账单、来账和密钥的旋钮</h2>
    ${dial('bill', '账单与事实不符', '那一天的账单少一行、多一行、错一分，或者晚一天。福利卡应在对账时发现。', [select('kind', '账单', wordsOf(billWords)), merchant, input('day', '日期', yesterday, html`type="date" required`), select('change', '怎样', wordsOf(changeWords))], '打开')}
    ${dial('bill-clear', '账单恢复如实', '全部账单重新按事实生成。', [], '恢复')}
    ${dial('income', '银行来账', '一笔对公转账进了商户账户。', [merchant, input('yuan', '金额（元）', '1000.00', html`inputmode="decimal"`), input('accountName', '付款户名', '青禾制造有限公司'), input('remark', '附言', '')], '到账')}
    ${dial(
      'keys',
      '平台证书',
      '换证时新旧两张并用，之后撤下旧的。只对仍用平台证书的商户有影响。',
      [
        select('certificates', '证书', [
          ['rotate', '加一张新的'],
          ['retire', '撤下旧的'],
        ]),
      ],
      '执行',
    )}
    ${dial('skew', '微信支付的时钟', '偏差超过 5 分钟，所有请求都会得到 401。', [
      select(
        'minutes',
        '偏差',
        [
          ['0', '没有'],
          ['4', '快 4 分钟'],
          ['10', '快 10 分钟'],
          ['-10', '慢 10 分钟'],
        ],
        String(world.skewMs / 60_000),
      ),
    ])}
  </section>`
}

const yuanInput = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,2})?$/)
  .transform((text) => Math.round(Number(text) * 100))
  .refine((fen) => fen > 0)

/** What each dial does; answers what it says afterwards. RangeError: a sentence for whoever pressed it. */
const deeds: Record<string, (world: World, form: Form) => string> = {
  latency: (world, form) => {
    const ms = (name: string) => (form[name] === 'never' ? null : Number(form[name]))
    const names = ['shareLatencyMs', 'returnLatencyMs', 'refundLatencyMs'] as const
    setRules(world, rulesInput.parse(Object.fromEntries(names.map((name) => [name, ms(name)]))))
    return '已设置，从下一笔起生效。'
  },
  receiver: (world, form) =>
    ordered(world, { of: 'receiver', account: form['account'], failReason: form['failReason'] }),
  return: (world, form) => ordered(world, { of: 'return', account: form['account'], failReason: form['failReason'] }),
  refund: (world, form) => ordered(world, { of: 'refund', outcome: form['outcome'] }),
  accept: (world, form) => {
    setRules(world, rulesInput.parse({ mchid: form['mchid'], acceptReturns: form['acceptReturns'] === 'yes' }))
    return '已设置。'
  },
  move: (world, form) => {
    const fen = yuanInput.parse(form['yuan'])
    const done = moveByHand(world, known(world, form['mchid']), form['way'] === 'out' ? -fen : fen)
    if (!done) throw new RangeError('余额不够，没有提现。')
    return '已执行。'
  },
  settle: (world) => {
    settleAll(world)
    return '处理中的都有了结果。'
  },
  bill: (world, form) => {
    changeBill(world, billInput.parse(form))
    return '已打开。'
  },
  'bill-clear': (world) => {
    world.bills.changes = []
    forgetBills(world)
    return '账单已恢复如实。'
  },
  income: (world, form) => {
    const { yuan, ...rest } = form
    addIncome(world, incomeInput.parse({ ...rest, mchid: known(world, form['mchid']), amount: yuanInput.parse(yuan) }))
    return '已到账。'
  },
  keys: (world, form) => {
    if (form['certificates'] === 'retire') retireCertificates(world)
    else rotateCertificates(world)
    return `现在有 ${world.certificates.length} 张平台证书。`
  },
  skew: (world, form) => {
    world.skewMs = z.coerce.number().int().min(-60).max(60).parse(form['minutes']) * 60_000
    return '已设置。'
  },
}

function known(world: World, mchid: string | undefined): string {
  if (mchid === undefined || !world.merchants.has(mchid)) throw new RangeError('没有这个商户。')
  return mchid
}

function ordered(world: World, wish: object): string {
  const outcome = outcomeInput.parse(wish)
  const { money } = world
  if (outcome.of === 'receiver') money.receiverOutcomes.push(outcome)
  else if (outcome.of === 'return') money.returnOutcomes.push(outcome)
  else money.nextRefunds.push(outcome)
  return '已打开，用完自动关闭。'
}

/** Mounts what the dials do; each leads back to the page with a sentence. */
export function mountMoneyForms(router: Router, world: World): void {
  for (const [path, deed] of Object.entries(deeds)) {
    router.post(`/money/${path}`, (ctx) => {
      const form = Object.fromEntries(new URLSearchParams((ctx.state['raw'] as Buffer).toString('utf8')))
      try {
        goBack(ctx, '/money', { done: deed(world, form) })
      } catch (error) {
        if (error instanceof ZodError) {
          const fields = error.issues.map((issue) => issue.path.join('.')).filter(Boolean)
          return goBack(ctx, '/money', { wrong: `填写有误${fields.length > 0 ? `：${fields.join('、')}` : ''}。` })
        }
        if (!(error instanceof RangeError)) throw error
        goBack(ctx, '/money', { wrong: error.message })
      }
    })
  }
}
