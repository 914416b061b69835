import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises'
import { MikroORM as MySqlOrm } from '@mikro-orm/mysql'
import { MikroORM as SqliteOrm } from '@mikro-orm/sqlite'
import type { EntityManager } from '@mikro-orm/core'
import { Migrator } from '@mikro-orm/migrations'
import Database from 'better-sqlite3'
import { CompiledQuery, SqliteDialect, type DatabaseConnection, type Driver } from 'kysely'
import { Counter, Job, KeyUse, OnceKey, SharedCount, SharedValue, Trail, Worker } from '../kernel/tables.ts'
import { Buyer, BuyerAccount } from '../modules/buyer/tables.ts'
import { BooksProof } from '../modules/analytics/tables.ts'
import { Campaign, Recurring } from '../modules/campaign/tables.ts'
import { Activity, Card, RetiredNumber } from '../modules/card/tables.ts'
import { Brand, BrandFiling, BrandTerms, TemplateVersion } from '../modules/catalog/tables.ts'
import { Company, Member, Operator, WecomConnection, WecomEvent, WecomSuite } from '../modules/company/tables.ts'
import { CustodyAlarm, CustodyBalance, CustodyGuarantee, CustodyStatement } from '../modules/compliance/tables.ts'
import { Cover } from '../modules/cover/tables.ts'
import { Claim, ClaimLink, ContactWay, ExternalContact, MassSend, SmsCode } from '../modules/contact/tables.ts'
import { Delivery, DeliveryBatch, MemberSend, Notification, SendDay } from '../modules/delivery/tables.ts'
import { BankStatement, Payment, PaymentPart, StatementLine } from '../modules/funding/tables.ts'
import { FunnelVisit } from '../modules/funnel/tables.ts'
import { Gift, Thanks } from '../modules/gift/tables.ts'
import { Invoice, InvoiceLine } from '../modules/invoice/tables.ts'
import { Entry, Posting } from '../modules/ledger/tables.ts'
import {
  Clerk,
  ClerkLink,
  Merchant,
  Shop,
  Terminal,
  TerminalNonce,
  WebhookEndpoint,
} from '../modules/merchant/tables.ts'
import { NoticeGrant, NoticeMessage } from '../modules/notice/tables.ts'
import { Order, OrderItem, OrderSlice } from '../modules/order/tables.ts'
import { Hold, Redemption, RedemptionMovement, Shift, UsedCode } from '../modules/redemption/tables.ts'
import { Bill, BillDifference } from '../modules/reconciliation/tables.ts'
import { Refund, RefundItem, RefundPart } from '../modules/refund/tables.ts'
import {
  PayeeAccount,
  Payout,
  PayoutFile,
  PayoutItem,
  Settlement,
  ShareRelation,
  Split,
  SplitCall,
  SplitReceiver,
  SplitReturn,
} from '../modules/settlement/tables.ts'
import { Listing, ListingTaking, SegmentBuyer, SeriesNumber, ShelfRound } from '../modules/shelf/tables.ts'
import { StoreOrder } from '../modules/storefront/tables.ts'
import {
  DirectoryChange,
  DirectoryDepartment,
  DirectoryMember,
  DirectorySync,
  Person,
  Roster,
  RosterChunk,
  RosterFault,
  RosterRow,
} from '../modules/staff/tables.ts'
import {
  Budget,
  BudgetHold,
  CreditLine,
  CreditMovement,
  Wallet,
  WalletAlert,
  WalletMovement,
} from '../modules/wallet/tables.ts'
import { WebhookDelivery, WebhookTurn } from '../modules/webhook/tables.ts'
import { migrationsOf } from './migrations.ts'
import { queue } from './queue.ts'

/** Every table of the house, module by module. */
export const entities = [
  OnceKey,
  Job,
  Trail,
  Worker,
  Counter,
  KeyUse,
  SharedValue,
  SharedCount,
  Entry,
  Posting,
  Brand,
  TemplateVersion,
  BrandTerms,
  BrandFiling,
  CustodyStatement,
  CustodyBalance,
  CustodyGuarantee,
  CustodyAlarm,
  Settlement,
  Split,
  SplitCall,
  SplitReceiver,
  SplitReturn,
  ShareRelation,
  Payout,
  PayoutItem,
  PayoutFile,
  PayeeAccount,
  Merchant,
  Shop,
  Clerk,
  ClerkLink,
  Terminal,
  TerminalNonce,
  WebhookEndpoint,
  Card,
  Activity,
  RetiredNumber,
  Order,
  OrderItem,
  OrderSlice,
  Buyer,
  BuyerAccount,
  Cover,
  NoticeGrant,
  NoticeMessage,
  FunnelVisit,
  StoreOrder,
  Listing,
  ListingTaking,
  SeriesNumber,
  SegmentBuyer,
  ShelfRound,
  Company,
  Member,
  Operator,
  WecomConnection,
  WecomSuite,
  WecomEvent,
  Wallet,
  WalletMovement,
  WalletAlert,
  CreditLine,
  CreditMovement,
  Budget,
  BudgetHold,
  Roster,
  RosterChunk,
  RosterRow,
  RosterFault,
  Person,
  DirectoryMember,
  DirectoryDepartment,
  DirectorySync,
  DirectoryChange,
  Campaign,
  Recurring,
  Payment,
  PaymentPart,
  BankStatement,
  StatementLine,
  Delivery,
  DeliveryBatch,
  MemberSend,
  SendDay,
  Notification,
  ContactWay,
  Claim,
  ClaimLink,
  SmsCode,
  ExternalContact,
  MassSend,
  Hold,
  Redemption,
  RedemptionMovement,
  UsedCode,
  Shift,
  Gift,
  Thanks,
  WebhookDelivery,
  WebhookTurn,
  Bill,
  BillDifference,
  Refund,
  RefundItem,
  RefundPart,
  Invoice,
  InvoiceLine,
  BooksProof,
]

export type Orm = SqliteOrm | MySqlOrm

/** A database that is open: how to write, how to read, how to leave. */
export interface Store {
  readonly orm: Orm
  /** One transaction, begun anew after a deadlock. Throws when called inside another on SQLite, where the writer is one. */
  readonly write: <T>(work: (em: EntityManager) => Promise<T>) => Promise<T>
  /** Reads without a transaction, on SQLite beside the writer on a connection of their own. */
  readonly read: <T>(work: (em: EntityManager) => Promise<T>) => Promise<T>
  readonly close: () => Promise<void>
}

/** Opens `mysql://…` or, for a file path, SQLite; brings the schema up to date first. */
export async function openStore(databaseUrl: string, options: { readonly poolSize?: number } = {}): Promise<Store> {
  return databaseUrl.startsWith('mysql:') ? openMysql(databaseUrl, options.poolSize ?? 10) : openSqlite(databaseUrl)
}

async function openMysql(clientUrl: string, poolSize: number): Promise<Store> {
  const orm = await MySqlOrm.init({
    clientUrl,
    entities,
    charset: 'utf8mb4',
    collate: 'utf8mb4_bin',
    pool: { min: 0, max: poolSize },
    driverOptions: { waitForConnections: true },
    onCreateConnection: settle,
    migrations: { migrationsList: migrationsOf('mysql'), snapshot: false, transactional: false, silent: true },
    extensions: [Migrator],
  })
  await orm.migrator.up()
  return {
    orm,
    write: (work) => unlessDeadlocked(() => orm.em.fork().transactional((em) => work(em))),
    read: (work) => work(orm.em.fork()),
    close: () => orm.close(),
  }
}

/**
 * READ COMMITTED for the connection, once: said before each transaction it would be one more way there and back for each.
 * Rows are often asked for by a list of ids. Up to 200 of them the server would look each one up in the index to guess how
 * many rows it has, which costs as much as reading it; from 10 on it takes what it knows of the index instead.
 */
async function settle(connection: unknown): Promise<void> {
  for (const text of [
    'set session transaction isolation level read committed',
    'set session eq_range_index_dive_limit = 10',
  ])
    await (connection as DatabaseConnection).executeQuery(CompiledQuery.raw(text))
}

/** How often a transaction begins anew that the database gave up for another's sake. */
const TRIES = 5
const PAUSE_MS = 20

/**
 * A deadlock rolls one of its transactions back whole, so nothing of it stands and it can begin anew. There is no order
 * of locks that rules all of them out: of callers who wait for one unique key whose owner rolls back, two would each
 * wait for the other. Work inside a transaction has no effect but its rows; that is what makes a second run harmless.
 */
async function unlessDeadlocked<T>(transaction: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await transaction()
    } catch (error) {
      if (tried === TRIES || (error as { code?: unknown }).code !== 'ER_LOCK_DEADLOCK') throw error
      await sleep(Math.random() * PAUSE_MS * tried)
    }
  }
}

async function openSqlite(path: string): Promise<Store> {
  const open = (readonly: boolean) =>
    SqliteOrm.init({
      dbName: path,
      entities,
      driverOptions: new ImmediateDialect({ database: () => Promise.resolve(openFile(path, readonly)) }),
      migrations: { migrationsList: migrationsOf('sqlite'), snapshot: false, silent: true },
      extensions: [Migrator],
    })
  const writer = await open(false)
  await writer.migrator.up()
  const reader = await open(true)
  const oneAtATime = queue()
  return {
    orm: writer,
    write: async (work) => {
      const result = await oneAtATime(() => writer.em.fork().transactional((em) => work(em)))
      // SQLite answers within the call: without this pause a row of transactions would keep requests and timers waiting.
      await breathe()
      return result
    },
    read: (work) => work(reader.em.fork()),
    close: async () => {
      await reader.close()
      await writer.close()
    },
  }
}

/** WAL with a full flush on every commit: a commit that was answered survives a power cut. Checked, not hoped for. */
function openFile(path: string, readonly: boolean): Database.Database {
  const file = new Database(path)
  file.pragma('busy_timeout = 10000')
  file.pragma('journal_mode = WAL')
  file.pragma('synchronous = FULL')
  file.pragma('foreign_keys = ON')
  if (readonly) file.pragma('query_only = ON')
  const found = [file.pragma('journal_mode', { simple: true }), file.pragma('synchronous', { simple: true })]
  if (found[0] !== 'wal' || found[1] !== 2) throw new Error(`SQLite runs with ${found.join(', ')}, not with wal, 2`)
  keepStatements(file)
  return file
}

/** Statements that one connection keeps ready. */
const KEPT = 500
/** A longer one inserts a whole batch: it comes seldom, and holds memory. */
const LONGEST = 1_000

/**
 * Keeps statements ready that come again: preparing one takes longer than most of them run. SQLite itself prepares anew
 * what a change of the schema has overtaken.
 */
function keepStatements(file: Database.Database): void {
  const kept = new Map<string, Database.Statement>()
  const prepare = file.prepare.bind(file)
  const ready = (text: string): Database.Statement => {
    const known = kept.get(text)
    if (known?.busy === false) return known
    const made = prepare(text)
    if (text.length > LONGEST) return made
    const [oldest] = kept.keys()
    if (oldest !== undefined && kept.size >= KEPT) kept.delete(oldest)
    kept.set(text, made)
    return made
  }
  file.prepare = ready as typeof file.prepare
}

/** A plain `begin` fails with SQLITE_BUSY_SNAPSHOT beside a second process; taking the write lock at once does not. */
class ImmediateDialect extends SqliteDialect {
  override createDriver(): Driver {
    const driver = super.createDriver()
    driver.beginTransaction = async (connection: DatabaseConnection) => {
      await connection.executeQuery(CompiledQuery.raw('begin immediate'))
    }
    return driver
  }
}
