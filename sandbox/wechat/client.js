// What WeChat's app puts into a page, played in a plain browser: WeixinJSBridge with the pay sheet, the menu with which a
// page is sent to a friend, the JS-SDK (`wx`) and <wx-open-subscribe>. Served by the sandbox, loaded nowhere else.
;(() => {
  if (window.WeixinJSBridge) return
  const base = new URL(document.currentScript.src).origin
  const ask = (name, body = {}) =>
    fetch(`${base}/client/${name}`, { method: 'POST', credentials: 'include', body: JSON.stringify(body) }).then(
      (answer) => answer.json(),
    )
  const page = { appId: '', apis: new Set(), hidden: new Set(), presets: {} }

  // ---- what lies above the page ----

  const host = document.createElement('sandbox-wechat')
  const root = host.attachShadow({ mode: 'open' })
  const style = document.createElement('style')
  style.textContent = `
    :host{all:initial}*{box-sizing:border-box;font:16px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif}
    .more{position:fixed;right:0;top:50%;z-index:2147483000;width:36px;height:44px;border:1px solid #d5d8dd;border-right:0;border-radius:10px 0 0 10px;background:#fffd;color:#1d2129;cursor:pointer}
    .veil{position:fixed;inset:0;z-index:2147483001;display:flex;align-items:flex-end;justify-content:center;background:#0008}
    [role=dialog]{width:100%;max-width:480px;max-height:90vh;overflow-y:auto;padding:16px 20px 24px;border-radius:16px 16px 0 0;background:#fff;color:#1d2129}
    .tag{display:inline-block;padding:0 8px;border-radius:4px;background:#fff4dc;color:#704600;font-size:12px}
    h2{margin:8px 0 4px;font-size:17px;font-weight:600;text-align:center}p{margin:4px 0;text-align:center;color:#5a626e}
    .fen{margin:12px 0;color:#1d2129;font-size:40px;font-weight:600;line-height:1.2;text-align:center;font-variant-numeric:tabular-nums}
    button.wide{display:block;width:100%;min-height:48px;margin-top:12px;border:0;border-radius:8px;background:#f2f3f5;color:#1d2129;cursor:pointer}
    button.main{background:#07803d;color:#fff}button:disabled{opacity:.6}
    label{display:flex;gap:12px;align-items:center;min-height:44px}input[type=checkbox]{width:20px;height:20px}
    input[type=text]{width:100%;min-height:44px;padding:8px 12px;border:1px solid #b9bfc9;border-radius:8px}
    :focus-visible{outline:2px solid #0f5fc4;outline-offset:2px}`
  root.append(style)

  const make = (tag, more = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), more)
    element.append(...inside)
    return element
  }
  const button = (text, className, run) =>
    make('button', { type: 'button', className, textContent: text, onclick: run })

  /** Shows a sheet; gives its body and a function that closes it. */
  function sheet(title) {
    const body = make('div')
    const dialog = make(
      'div',
      {},
      make('span', { className: 'tag', textContent: '沙箱' }),
      make('h2', { textContent: title }),
      body,
    )
    dialog.setAttribute('role', 'dialog')
    dialog.setAttribute('aria-modal', 'true')
    dialog.setAttribute('aria-label', title)
    const veil = make('div', { className: 'veil' }, dialog)
    root.append(veil)
    return { body, close: () => veil.remove() }
  }

  /** A sheet with a sentence and buttons; resolves with what was pressed. */
  function choose(title, inside, choices) {
    return new Promise((resolve) => {
      const { body, close } = sheet(title)
      const take = (value) => () => {
        close()
        resolve(value)
      }
      const buttons = choices.map(([text, value], index) =>
        button(text, index === 0 ? 'wide main' : 'wide', take(value)),
      )
      body.append(...inside, ...buttons)
      buttons[0]?.focus()
    })
  }

  // ---- paying ----

  async function pay(params) {
    const { body, close } = sheet('微信支付')
    body.append(make('p', { textContent: '正在打开…' }))
    const shown = await ask('sheet', { params }).catch(() => ({ refused: '没有连上支付沙箱。' }))
    return new Promise((resolve) => {
      const end = (result) => {
        close()
        resolve(result)
      }
      if (shown.refused !== undefined) {
        body.replaceChildren(
          make('p', { textContent: shown.refused }),
          button('关闭', 'wide', () => end({ says: 'fail', message: shown.refused })),
        )
        return
      }
      const act = (outcome) => async () => {
        for (const one of body.querySelectorAll('button')) one.disabled = true
        end(await ask('pay', { params, outcome }).catch(() => ({ says: 'fail', message: '没有连上支付沙箱。' })))
      }
      const confirm = button('确认支付', 'wide main', act('success'))
      body.replaceChildren(
        make('p', { textContent: shown.payee }),
        make('p', { className: 'fen', textContent: `¥${(shown.amount / 100).toFixed(2)}` }),
        make('p', { textContent: shown.description }),
        confirm,
        button('取消', 'wide', act('cancel')),
      )
      confirm.focus()
    })
  }

  // ---- sharing ----

  const friendItem = 'menuItem:share:appMessage'

  async function menu() {
    const { person, friends } = await ask('me')
    if (!person) {
      await choose('菜单', [make('p', { textContent: '先在沙箱的“买家微信”里选一位。' })], [['关闭', null]])
      return
    }
    const link = location.href.split('#')[0]
    const preset = page.presets.friend ?? { title: document.title, desc: link, link, imgUrl: '' }
    const inside = [make('p', { textContent: page.hidden.has(friendItem) ? '这个页面不能转发。' : preset.title })]
    const choices = page.hidden.has(friendItem) ? [] : friends.map(({ id, name }) => [`转发给${name}`, id])
    const to = await choose(`${person.name}的微信`, inside, [...choices, ['取消', null]])
    if (to !== null) await ask('share', { to, ...preset })
  }

  // ---- the bridge ----

  const bridge = {
    invoke(name, params, done = () => {}) {
      if (name === 'getBrandWCPayRequest') {
        void pay(params).then(({ says, message }) =>
          done({ err_msg: `get_brand_wcpay_request:${says}`, ...(says === 'fail' ? { err_desc: message } : {}) }),
        )
      } else if (name === 'closeWindow') closeWindow()
      else done({ err_msg: `${name}:fail function not exist` })
    },
    on() {},
    call(name) {
      this.invoke(name, {})
    },
  }
  const closeWindow = () => location.assign(`${base}/phone/me`)

  // ---- the JS-SDK ----

  let configured
  const [isConfigured, begin] = (() => {
    let resolve
    return [new Promise((settle) => (resolve = settle)), (value) => resolve(value)]
  })()
  let onError = () => {}

  /** Runs an API as the SDK does: its answer goes to success, fail or cancel, and then to complete. */
  async function run(name, options, work, free = false) {
    const end = (how, more = {}) => {
      const result = { ...more, errMsg: more.errMsg ?? `${name}:${how === 'success' ? 'ok' : how}` }
      options[how]?.(result)
      options.complete?.(result)
    }
    if (!free && !page.apis.has(name))
      return end('fail', { errMsg: `${name}:fail, the permission value is offline verifying` })
    if (!free && (await isConfigured) !== 'config:ok') return end('fail', { errMsg: `${name}:permission denied` })
    try {
      await work(end)
    } catch (error) {
      end('fail', { errMsg: `${name}:fail ${error instanceof Error ? error.message : ''}` })
    }
  }

  const presetting = (name, kind) => (options) =>
    run(name, options, async (end) => {
      const { title = '', desc = '', link = location.href.split('#')[0], imgUrl = '' } = options
      const pageUrl = location.href.split('#')[0]
      const { ok } = await ask('preset', { appId: page.appId, pageUrl, kind, title, desc, link, imgUrl })
      if (!ok) return end('fail', { errMsg: `${name}:fail, invalid url domain` })
      page.presets[kind] = { title, desc, link, imgUrl }
      end('success')
    })

  const hiding =
    (name, change) =>
    (options = {}) =>
      run(name, options, async (end) => {
        for (const item of options.menuList ?? []) change(item)
        end('success')
      })

  const wx = {
    config(options) {
      configured = options
      page.appId = options.appId
      page.apis = new Set(options.jsApiList)
      ask('config', { ...options, url: location.href.split('#')[0] }).then(
        (judged) => {
          if (judged.differs !== undefined) console.warn(`sandbox: ${judged.errMsg}, look at ${judged.differs}`)
          if (judged.errMsg !== 'config:ok') onError({ errMsg: judged.errMsg })
          else if (options.openTagList?.includes('wx-open-subscribe')) openTags(judged.tags)
          begin(judged.errMsg)
        },
        () => onError({ errMsg: 'config:fail' }),
      )
    },
    ready: (done) => void isConfigured.then((said) => said === 'config:ok' && done()),
    error: (done) => {
      onError = done
      void isConfigured.then((said) => said !== 'config:ok' && done({ errMsg: said }))
    },
    checkJsApi: (options) =>
      run(
        'checkJsApi',
        options,
        async (end) => {
          end('success', { checkResult: Object.fromEntries(options.jsApiList.map((name) => [name, name in wx])) })
        },
        true,
      ),
    updateAppMessageShareData: presetting('updateAppMessageShareData', 'friend'),
    updateTimelineShareData: presetting('updateTimelineShareData', 'timeline'),
    hideMenuItems: hiding('hideMenuItems', (item) => page.hidden.add(item)),
    showMenuItems: hiding('showMenuItems', (item) => page.hidden.delete(item)),
    // Its pay sheet comes even where the signature is wrong (5.1): a green payment proves nothing about signing.
    chooseWXPay: (options) =>
      run(
        'chooseWXPay',
        options,
        async (end) => {
          const { timestamp, nonceStr, package: pack, signType, paySign } = options
          const params = {
            appId: configured?.appId,
            timeStamp: String(timestamp),
            nonceStr,
            package: pack,
            signType,
            paySign,
          }
          const { says } = await pay(params)
          end(says === 'ok' ? 'success' : says)
        },
        true,
      ),
    scanQRCode: (options) =>
      run('scanQRCode', options, async (end) => {
        const field = make('input', { type: 'text' })
        field.setAttribute('aria-label', '扫到的内容')
        const found = await choose(
          '扫一扫',
          [field],
          [
            ['确定', true],
            ['取消', false],
          ],
        )
        if (found) end('success', { resultStr: field.value })
        else end('cancel')
      }),
    getLocation: (options) =>
      run('getLocation', options, async (end) => {
        const { location: place } = await ask('me')
        const agreed = await choose(
          '获取你的位置',
          [],
          [
            ['允许', true],
            ['拒绝', false],
          ],
        )
        if (agreed) end('success', { ...place, speed: 0, accuracy: 30 })
        else end('cancel')
      }),
    closeWindow,
  }

  // ---- subscription messages ----

  /** The popup of a page: which of these templates may be sent once more. */
  async function askForMessages(templateIds) {
    const appId = configured?.appId ?? ''
    const { errCode, templates = [] } = await ask('subscription', { appId, templateIds })
    if (errCode !== 0) return { errCode }
    const open = templates.filter((one) => one.always === null)
    const boxes = open.map(({ title, id }) => [id, make('input', { type: 'checkbox', checked: true }), title])
    const keep = make('input', { type: 'checkbox' })
    const inside = boxes.map(([, box, title]) => make('label', {}, box, title))
    const asked = [
      ['允许', true],
      ['取消', false],
    ]
    const rows = [...inside, make('label', {}, keep, '总是保持以上选择，不再询问')]
    const allowed = open.length === 0 || (await choose('申请发送消息', rows, asked))
    const answers = Object.fromEntries(
      templates.filter((one) => one.always !== null).map((one) => [one.id, one.always === 'accept']),
    )
    if (allowed) for (const [id, box] of boxes) answers[id] = box.checked
    if (Object.keys(answers).length > 0) await ask('subscribe', { appId, answers, always: keep.checked })
    const status = (id) => (id in answers ? (answers[id] ? 'accept' : 'reject') : 'cancel')
    return {
      errCode: 0,
      details: Object.fromEntries(templateIds.map((id) => [id, JSON.stringify({ status: status(id) })])),
    }
  }

  /** From here on the page's open tags work, or the page is told that they never will. */
  function openTags(work) {
    if (!work)
      document.dispatchEvent(new CustomEvent('WeixinOpenTagsError', { detail: { errMsg: 'tags unsupported' } }))
    else if (!customElements.get('wx-open-subscribe')) customElements.define('wx-open-subscribe', Subscribe)
  }

  class Subscribe extends HTMLElement {
    connectedCallback() {
      const inner = this.shadowRoot ?? this.attachShadow({ mode: 'open' })
      const wanted = () => {
        const given = this.template ?? this.getAttribute('template') ?? ''
        return Array.isArray(given) ? given : given.split(',').filter(Boolean)
      }
      // The page writes its content in a script of the kind text/wxtag-template, which may come a moment later.
      const fill = () => {
        const text = this.querySelector('script[type="text/wxtag-template"], template')?.innerHTML
        if (text !== undefined) inner.innerHTML = text
      }
      fill()
      new MutationObserver(fill).observe(this, { childList: true, subtree: true, characterData: true })
      inner.addEventListener('click', () => void this.answer(wanted()))
      this.dispatchEvent(new CustomEvent('ready'))
    }
    async answer(templateIds) {
      const { errCode, details } = await askForMessages(templateIds)
      const detail =
        errCode === 0
          ? { errMsg: 'subscribe:ok', subscribeDetails: JSON.stringify(details) }
          : { errMsg: 'subscribe:fail', errCode: String(errCode) }
      this.dispatchEvent(new CustomEvent(errCode === 0 ? 'success' : 'error', { detail }))
    }
  }

  window.WeixinJSBridge = bridge
  window.wx = wx
  const appear = () => {
    const more = button('···', 'more', () => void menu())
    more.setAttribute('aria-label', '微信菜单')
    root.append(more)
    document.documentElement.append(host)
    document.dispatchEvent(new Event('WeixinJSBridgeReady'))
  }
  // After the page's own script has said what it waits for.
  setTimeout(appear)
})()
