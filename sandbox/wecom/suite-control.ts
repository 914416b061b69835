import { z } from 'zod'
import { saveSuiteCallback, type CallbackRefusal } from './callback.ts'
import type { Delivery } from './callback-state.ts'
import { corpOf, fakeId, type Corp, type VisibleRange, type WecomState } from './state.ts'
import type { Suite } from './suite-state.ts'
import {
  cancelAuth,
  install,
  installedApp,
  pushTicket,
  resetPermanentCode,
  startTickets,
  suiteOf,
  tellChangedAuth,
} from './suites.ts'
import { changeRange } from './visible-range.ts'

const keys = { token: z.string().regex(/^[0-9A-Za-z]{1,32}$/), encodingAesKey: z.string().regex(/^[0-9A-Za-z]{43}$/) }
const url = z.url({ protocol: /^https?$/ }).max(2048)
/** Whom an app may see: everybody, or departments, members and tags. */
export const rangeForm = z.union([
  z.literal('all'),
  z.strictObject({
    departments: z.array(z.int().positive()).default([]),
    userIds: z.array(z.string()).default([]),
    tags: z.array(z.int().positive()).default([]),
  }),
])
const providerForm = z.strictObject({
  corpId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  secret: z.string().min(1),
  suites: z.array(
    z.strictObject({
      suiteId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
      kind: z.enum(['third_party', 'customised']),
      name: z.string().min(1),
      secret: z.string().min(1),
      ...keys,
      trustedDomains: z.array(z.string().min(1)).default([]),
    }),
  ),
})
const suiteForm = z.strictObject({ suiteId: z.string() })
const companyForm = z.strictObject({ suiteId: z.string(), corpId: z.string() })
const installForm = z.strictObject({
  ...companyForm.shape,
  visible: rangeForm.default('all'),
  adminUserId: z.string().optional(),
  state: z
    .string()
    .regex(/^[A-Za-z0-9]{0,128}$/)
    .default(''),
})
const suiteCallbackForm = z.strictObject({
  suiteId: z.string(),
  commandUrl: url.optional(),
  dataUrl: url.optional(),
  trustedDomains: z.array(z.string().min(1)).optional(),
})
const licenceForm = z.strictObject({
  providerCorpId: z.string(),
  kind: z.enum(['base', 'interop']),
  count: z.coerce.number().int().min(1).max(100_000),
})
const agentForm = z.strictObject({ corpId: z.string(), agentId: z.coerce.number().int(), visible: rangeForm })
const callbackSwitches = z.strictObject({
  retryWrongStatus: z.boolean().optional(),
  dropAfter: z.int().positive().nullable().optional(),
})

/** What a control call is given. */
export type InstallForm = z.input<typeof installForm>

/** The hand on providers, suites and the way events are sent; the same over HTTP below /__ctl. */
export interface SuiteControl {
  /** Adds or changes a provider and its suites. */
  upsertProvider(form: z.input<typeof providerForm>): void
  /** Verifies and saves a suite's two addresses, and begins the rounds of tickets; null is success. */
  saveSuiteCallbacks(form: z.input<typeof suiteCallbackForm>): Promise<CallbackRefusal | null>
  pushTicket(form: z.input<typeof suiteForm>): void
  /** An administrator installs a suite from the market: create_auth follows. Answers the agentid. */
  installFromMarket(form: InstallForm): { readonly agentId: number }
  cancelAuth(form: z.input<typeof companyForm>): void
  resetPermanentCode(form: z.input<typeof companyForm>): void
  /** Tells a suite that its authorisation changed; `visible` changes the range first. */
  changeAuth(form: z.input<typeof companyForm> & { readonly visible?: z.input<typeof rangeForm> }): void
  /** Changes whom an app sees: members who come in or go out are told to it, and a suite hears change_auth. */
  changeVisible(form: z.input<typeof agentForm>): void
  /** Sells licences: the codes with which they are activated. */
  buyLicences(form: z.input<typeof licenceForm>): { readonly activeCodes: readonly string[] }
  suiteDeliveries(suiteId: string): readonly Delivery[] | null
  switchCallbacks(form: z.input<typeof callbackSwitches>): void
}

/** The control functions over a state. Every one throws RangeError when something that is named does not exist. */
export function suiteControlOf(state: WecomState): SuiteControl {
  return {
    upsertProvider: (form) => upsertProvider(state, providerForm.parse(form)),
    saveSuiteCallbacks: (form) => saveBoth(state, suiteCallbackForm.parse(form)),
    pushTicket: (form) => pushTicket(state, knownSuite(state, suiteForm.parse(form).suiteId)),
    installFromMarket: (form) => {
      const { suiteId, corpId, visible, adminUserId, state: given } = installForm.parse(form)
      const [suite, corp] = [knownSuite(state, suiteId), knownCorp(state, corpId)]
      const consent = { adminUserId: adminUserId ?? firstMember(corp), visible: rangeOf(visible), state: given }
      install(state, suite, corp, 'market', consent)
      return { agentId: installedApp(suite, corp)?.agentId ?? 0 }
    },
    cancelAuth: (form) => act(state, form, (suite, corp) => cancelAuth(state, suite, corp)),
    resetPermanentCode: (form) => act(state, form, (suite, corp) => resetPermanentCode(state, suite, corp)),
    changeAuth: ({ visible, ...form }) =>
      act(state, form, (suite, corp) => {
        const app = installedApp(suite, corp)
        if (!app) return false
        if (visible === undefined) tellChangedAuth(state, suite, corp)
        else changeRange(state, corp, app, rangeOf(rangeForm.parse(visible)))
        return true
      }),
    changeVisible: (form) => {
      const { corpId, agentId, visible } = agentForm.parse(form)
      const corp = knownCorp(state, corpId)
      const app = corp.apps.get(agentId)
      if (!app) throw new RangeError('no such app')
      changeRange(state, corp, app, rangeOf(visible))
    },
    buyLicences: (form) => {
      const { providerCorpId, kind, count } = licenceForm.parse(form)
      const provider = state.outer.suites.providers.get(providerCorpId)
      if (!provider) throw new RangeError('no such provider')
      const activeCodes = Array.from({ length: count }, () => fakeId('LICENCE', 12))
      for (const code of activeCodes) provider.licences.set(code, { kind, usedBy: null })
      return { activeCodes }
    },
    suiteDeliveries: (suiteId) => suiteOf(state, suiteId)?.deliveries ?? null,
    switchCallbacks: (form) => {
      const { retryWrongStatus, dropAfter } = callbackSwitches.parse(form)
      const { callbacks } = state.outer
      if (retryWrongStatus !== undefined) callbacks.retryWrongStatus = retryWrongStatus
      if (dropAfter === undefined) return
      callbacks.dropAfter = dropAfter
      callbacks.failures.clear()
    },
  }
}

/** A range as the console takes it. */
export function rangeOf(form: z.output<typeof rangeForm>): VisibleRange {
  if (form === 'all') return 'all'
  const userIds = new Set(form.userIds.map((id) => id.toLowerCase()))
  return { departments: new Set(form.departments), userIds, tags: new Set(form.tags) }
}

function upsertProvider(state: WecomState, form: z.output<typeof providerForm>): void {
  const { providers, suites } = state.outer.suites
  const provider = providers.get(form.corpId)
  if (provider) provider.secret = form.secret
  else providers.set(form.corpId, { ...form, firstInstalls: new Map(), licences: new Map() })
  for (const { suiteId, kind, name, secret, token, encodingAesKey, trustedDomains } of form.suites) {
    const changed = { name, secret, keys: { token, encodingAesKey }, trustedDomains }
    const known = suites.get(suiteId)
    if (known) Object.assign(known, changed)
    else
      suites.set(suiteId, {
        ...changed,
        suiteId,
        kind,
        providerCorpId: form.corpId,
        command: null,
        data: null,
        tickets: [],
        ticking: false,
        preAuthCodes: new Map(),
        authCodes: new Map(),
        installs: new Map(),
        deliveries: [],
      })
  }
}

async function saveBoth(state: WecomState, form: z.output<typeof suiteCallbackForm>): Promise<CallbackRefusal | null> {
  const suite = knownSuite(state, form.suiteId)
  if (form.trustedDomains) trustDomains(state, suite, form.trustedDomains)
  for (const [which, address] of [['data', form.dataUrl] as const, ['command', form.commandUrl] as const]) {
    const refusal = address === undefined ? null : await saveSuiteCallback(state, suite, which, address)
    if (refusal !== null) return refusal
  }
  if (suite.command) startTickets(state, suite)
  return null
}

/** The hosts of a suite are those of every app that was installed from it. */
function trustDomains(state: WecomState, suite: Suite, trustedDomains: readonly string[]): void {
  suite.trustedDomains = trustedDomains
  for (const one of suite.installs.values()) {
    const app = state.corps.get(one.corpId.toLowerCase())?.apps.get(one.agentId)
    if (app) app.trustedDomains = trustedDomains
  }
}

function knownSuite(state: WecomState, suiteId: string): Suite {
  const suite = suiteOf(state, suiteId)
  if (!suite) throw new RangeError('no such suite')
  return suite
}

function knownCorp(state: WecomState, corpId: string): Corp {
  const corp = corpOf(state, corpId)
  if (!corp) throw new RangeError('no such company')
  return corp
}

/** Who stands as the administrator where nobody was named. */
export function firstMember(corp: Corp): string {
  const [first] = corp.members.values()
  return first?.userid ?? 'admin'
}

function act(state: WecomState, form: z.input<typeof companyForm>, run: (suite: Suite, corp: Corp) => boolean): void {
  const { suiteId, corpId } = companyForm.parse(form)
  const done = run(knownSuite(state, suiteId), knownCorp(state, corpId))
  if (!done) throw new RangeError('the company has not authorised this suite, or its kind does not allow that')
}
