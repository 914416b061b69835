/** A person with WeChat and without an account in any company: an outside worker. */
export interface Person {
  readonly id: string
  readonly name: string
  readonly mobile: string | null
  /** Chats by `corpId/userid`, the newest message last. */
  readonly chats: Map<string, ChatLine[]>
}

/** A line in the chat between an outside person and a member. */
export interface ChatLine {
  readonly id: string
  readonly from: 'member' | 'person' | 'system'
  readonly text: string | null
  readonly link: { readonly title: string; readonly desc: string; readonly url: string; readonly picUrl: string } | null
  readonly atMs: number
}

/** A message by SMS, as it lies in the phone. */
export interface ShortMessage {
  readonly mobile: string
  readonly reference: string
  readonly text: string
  readonly atMs: number
}

/** One company's contact with an outside person: a customer, whatever the number of members who have added them. */
export interface Customer {
  readonly externalUserId: string
  readonly personId: string
  /** By lower-cased userid. */
  readonly followers: Map<string, Follow>
  /** The greeting of the newest contact with each member, by lower-cased userid. */
  readonly greetings: Map<string, Greeting>
  /** Members who have yet to accept, where a contact way asks for that. By lower-cased userid. */
  readonly requests: Map<string, ContactWay>
}

export interface Follow {
  readonly userid: string
  readonly addedAtMs: number
  readonly state: string
  readonly addWay: number
  /** The person has not confirmed yet: not a full relation. */
  half: boolean
  /** The person removed the member; the relation stays readable. */
  left: boolean
  remark: string
  description: string
  remarkCompany: string
  remarkMobiles: readonly string[]
  readonly tagIds: Set<string>
}

/** "Contact me" (联系我). */
export interface ContactWay {
  readonly configId: string
  readonly qrId: string
  readonly agentId: number
  readonly type: 1 | 2
  readonly scene: 1 | 2
  readonly createdAtMs: number
  state: string
  remark: string
  skipVerify: boolean
  userIds: readonly string[]
  parties: readonly number[]
}

/** A code with which one app may greet one new contact, once. */
export interface WelcomeCode {
  readonly agentId: number
  readonly untilMs: number
  readonly greeting: Greeting
}

/** What all apps' codes of one added contact share: the first to call wins. */
export interface Greeting {
  readonly corpId: string
  readonly personId: string
  readonly userid: string
  by: { readonly agentId: number; readonly atMs: number } | null
  chatBegun: boolean
  /** To the archiving of chats, where the company keeps them. */
  agreed: boolean
}

export interface TagGroup {
  readonly id: string
  name: string
  order: number
  readonly createdAtMs: number
  /** The app that made it; only that app changes it (81011). */
  readonly agentId: number
  readonly tags: Map<string, Tag>
}
export interface Tag {
  readonly id: string
  name: string
  order: number
  readonly createdAtMs: number
}

/** What stands below the text of a welcome or a mass message (6.3). */
export type Attachment =
  | {
      readonly msgtype: 'image'
      readonly image: { readonly media_id?: string | undefined; readonly pic_url?: string | undefined }
    }
  | {
      readonly msgtype: 'link'
      readonly link: {
        readonly title: string
        readonly url: string
        readonly desc?: string | undefined
        readonly picurl?: string | undefined
      }
    }
  | {
      readonly msgtype: 'miniprogram'
      readonly miniprogram: {
        readonly title: string
        readonly pic_media_id: string
        readonly appid: string
        readonly page: string
      }
    }
  | { readonly msgtype: 'video'; readonly video: { readonly media_id: string } }
  | { readonly msgtype: 'file'; readonly file: { readonly media_id: string } }

/** What a welcome or a mass message says: a text, attachments, or both. */
export interface ContactMessage {
  readonly text: string
  readonly attachments: readonly Attachment[]
}

/** A mass message (企业群发): a task for members; nothing goes out before they confirm. */
export interface MassTask {
  readonly id: string
  readonly agentId: number
  readonly createdAtMs: number
  readonly message: ContactMessage
  /** By lower-cased userid. */
  readonly members: Map<string, MassMember>
  reminded: number
  cancelled: boolean
}
export interface MassMember {
  readonly userid: string
  sentAtMs: number | null
  /** The member looked at the task and put it away; nobody is told. */
  ignored: boolean
  readonly results: Map<string, { status: 0 | 1 | 2 | 3; sentAtMs: number | null }>
}

/** Customer contact of one company. */
export interface ContactState {
  /** Members whom the company lets serve customers, lower-cased; null: everybody who is active. */
  followUsers: ReadonlySet<string> | null
  /** Apps that are not among those allowed to call (6.0). */
  readonly barredApps: Set<number>
  /** Members for whom the console has a welcome of its own: their events carry no code. By lower-cased userid. */
  consoleWelcome: ReadonlyMap<string, string>
  wayLimit: number
  readonly ways: Map<string, ContactWay>
  readonly customers: Map<string, Customer>
  readonly byPerson: Map<string, Customer>
  /** By lower-cased userid: external ids, the first added first. */
  readonly byFollower: Map<string, Set<string>>
  readonly welcomeCodes: Map<string, WelcomeCode>
  /** The company archives chats: new contacts are asked first. */
  archives: boolean
  readonly tagGroups: Map<string, TagGroup>
  readonly marking: Set<string>
  readonly tasks: Map<string, MassTask>
  /** Mass messages a customer got, by month and external id. */
  readonly gotInMonth: Map<string, number>
}

/** The short message service. */
export interface SmsState {
  key: string
  /** By reference: what was sent, so that a repeat sends nothing. */
  readonly sent: Map<string, ShortMessage>
  /** By mobile, the newest last. */
  readonly texts: Map<string, ShortMessage[]>
}

export interface CustomerState {
  readonly people: Map<string, Person>
  /** By lower-cased corpid. */
  readonly contacts: Map<string, ContactState>
  /** Which company and contact way a QR's address stands for. */
  readonly qrs: Map<string, { readonly corpId: string; readonly configId: string }>
  readonly sms: SmsState
}

/** Nobody outside yet. */
export function emptyCustomers(): CustomerState {
  return { people: new Map(), contacts: new Map(), qrs: new Map(), sms: { key: '', sent: new Map(), texts: new Map() } }
}

/** The customer contact of a company, empty at first; a company may have 500,000 contact ways (6.2). */
export function contactOf(state: CustomerState, corpId: string): ContactState {
  const known = state.contacts.get(corpId.toLowerCase())
  if (known) return known
  const made: ContactState = {
    followUsers: null,
    barredApps: new Set(),
    consoleWelcome: new Map(),
    wayLimit: 500_000,
    ways: new Map(),
    customers: new Map(),
    byPerson: new Map(),
    byFollower: new Map(),
    welcomeCodes: new Map(),
    archives: false,
    tagGroups: new Map(),
    marking: new Set(),
    tasks: new Map(),
    gotInMonth: new Map(),
  }
  state.contacts.set(corpId.toLowerCase(), made)
  return made
}
