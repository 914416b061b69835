/** A column that holds sealed values, and where in its table the id stands to which each value is bound. */
export interface SealedColumn {
  readonly table: string
  readonly column: string
  /** The primary key; its parts, joined by a colon, are the row id of the place. */
  readonly key: readonly string[]
  /** A value may be a megabyte: few go into one transaction. */
  readonly large?: true
}

const byId = (table: string, ...columns: readonly string[]): SealedColumn[] =>
  columns.map((column) => ({ table, column, key: ['id'] }))
const by = (key: readonly string[], table: string, ...columns: readonly string[]): SealedColumn[] =>
  columns.map((column) => ({ table, column, key }))

/** Every sealed column of the house (docs/RETENTION.md says what stands in each): what a new key has to reach. */
export const sealedColumns: readonly SealedColumn[] = [
  ...byId('card', 'secret_sealed'),
  ...byId('person', 'sealed'),
  ...byId('member', 'sealed'),
  ...byId('operator', 'name_sealed'),
  ...byId('clerk', 'name_sealed'),
  ...byId('terminal', 'secret_sealed', 'old_secret_sealed'),
  ...byId('webhook_endpoint', 'secret_sealed'),
  ...by(['company_id'], 'wecom_connection', 'secret_sealed', 'callback_sealed', 'contact_secret_sealed'),
  ...by(['suite_id'], 'wecom_suite', 'ticket_sealed'),
  ...byId('wecom_event', 'message_sealed'),
  ...by(['name'], 'shared_value', 'value_sealed'),
  ...byId('roster', 'name_sealed', 'reading_sealed', 'samples_sealed', 'mapping_sealed'),
  { table: 'roster_chunk', column: 'bytes_sealed', key: ['roster_id', 'seq'], large: true },
  ...byId('roster_row', 'sealed'),
  ...byId('directory_member', 'sealed'),
  ...byId('campaign', 'greeting_sealed', 'word_sealed'),
  ...byId('recurring', 'greeting_sealed'),
  ...byId('delivery_batch', 'body_sealed', 'people_sealed'),
  ...byId('notification', 'body_sealed', 'response_code_sealed'),
  ...byId('contact_way', 'members_sealed'),
  ...byId('external_contact', 'sealed'),
  ...byId('mass_send', 'body_sealed'),
  ...byId('sms_code', 'phone_sealed'),
  ...byId('gift', 'token_sealed', 'greeting_sealed'),
  ...byId('thanks', 'text_sealed'),
  ...byId('buyer_account', 'openid_sealed'),
  ...by(['order_id'], 'store_order', 'greeting_sealed'),
  ...byId('payment', 'payer_sealed', 'request_sealed'),
  ...byId('bank_statement', 'name_sealed'),
  ...byId('statement_line', 'payer_sealed', 'reason_sealed'),
  ...byId('brand_filing', 'custody_account_sealed'),
  ...by(['payee'], 'payee_account', 'bank_sealed'),
  ...byId('payout_file', 'content_sealed'),
  ...byId('bill_difference', 'note_sealed'),
  ...byId('invoice', 'buyer_sealed', 'body_sealed'),
  { table: 'cover', column: 'picture_sealed', key: ['id'], large: true },
]
