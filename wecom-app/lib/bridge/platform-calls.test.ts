import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** What speaks with a platform, as it stands in a source text. Product.md, H9: the bridge is the only place that differs by channel. */
const platform = [
  /\bnavigator\??\.(geolocation|mediaDevices|share|canShare|clipboard|vibrate|wakeLock|permissions)\b/,
  /'(geolocation|mediaDevices|share|clipboard|vibrate|wakeLock)' in navigator/,
  /\bBarcodeDetector\b/,
  /\bWeixinJSBridge\b/,
  /\b(AlipayJSBridge|ToutiaoJSBridge|__wxjs_environment)\b/,
  /(?<![\w.$'"/-])(wx|ww|my|tt|swan|qq)\.[a-z]\w*\s*\(/,
  /['"]@wecom\/jssdk/,
  /\bwx-open-(subscribe|launch)/,
  /micromessenger|wxwork/i,
]
/** The lines of a text that speak with a platform; comments say what they like. */
function callsIn(text: string): string[] {
  const bare = text.replace(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, '')).split('\n')
  return bare.filter((line) => platform.some((one) => one.test(line.replace(/(^|\s)\/\/.*/, ''))))
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /\.(ts|vue|html)$/.test(name) && !/^(dist|lib\/bridge)\//.test(name) && !name.endsWith('.test.ts'),
)

test('no page speaks with a platform but through the bridge', () => {
  expect(sources.length).toBeGreaterThan(150)
  const found = sources.flatMap((name) =>
    callsIn(readFileSync(`${root}${name}`, 'utf8')).map((line) => `${name}: ${line.trim()}`),
  )
  expect(found).toEqual([])
})

test.each([
  `navigator.geolocation.getCurrentPosition(found)`,
  `const stream = await navigator.mediaDevices?.getUserMedia({})`,
  `navigator.share({ text })`,
  `if ('clipboard' in navigator) go()`,
  `await navigator.clipboard.writeText(url)`,
  `navigator.vibrate?.(40)`,
  `lock = await navigator.wakeLock.request('screen')`,
  `new BarcodeDetector({ formats })`,
  `window.WeixinJSBridge.invoke('getBrandWCPayRequest', order)`,
  `wx.chooseWXPay(order)`,
  `  ww.scanQRCode({})`,
  `my.tradePay({})`,
  `tt.pay({})`,
  `import * as ww from '@wecom/jssdk'`,
  `<wx-open-subscribe template="1" />`,
  `if (/MicroMessenger/i.test(navigator.userAgent)) pay()`,
])('a page that does it itself is found: %s', (line) => {
  expect(callsIn(`const a = 1\n${line}\n`)).toEqual([line])
})

test('what only looks alike is left alone', () => {
  for (const line of [
    'const summy.a = 1',
    '// wx.config is silent',
    'row.my.thing()',
    "t('pack.wx.hint')",
    '/* navigator.share */',
    'navigator.onLine',
  ])
    expect([line, callsIn(line)]).toEqual([line, []])
})
