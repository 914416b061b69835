const arrived = "('paid', 'refunding', 'part_refunded', 'refunded')"

/** What must hold between payments, their parts, the orders that they fund, bank statements and the ledger. */
export const fundingChecks = [
  {
    // Orders whose money was secured without a payment (none in operation) have nothing to compare with.
    rule: 'parts_of_arrived_payments_are_what_the_order_secured',
    query: `select orders.id as subject, orders.secured_fen as stored, coalesce(sum(payment_part.amount_fen), 0) as posted
      from orders join payment on payment.order_id = orders.id and payment.state in ${arrived}
      left join payment_part on payment_part.payment_id = payment.id
      group by orders.id, orders.secured_fen having orders.secured_fen <> coalesce(sum(payment_part.amount_fen), 0)`,
  },
  {
    rule: 'what_arrived_beyond_the_parts_is_kept_as_overpaid',
    query: `select books.subject, books.stored, books.posted from (select orders.id as subject,
        coalesce(paid.fen, 0) - coalesce(parts.fen, 0) - coalesce(back.fen, 0) as stored,
        -(select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = OVERPAID) as posted
      from orders
      left join (select order_id, sum(paid_fen) as fen from payment where state in ${arrived} group by order_id) as paid
        on paid.order_id = orders.id
      left join (select payment.order_id as order_id,
          sum(case when payment.state in ${arrived} then payment_part.amount_fen else 0 end) as fen
        from payment_part left join payment on payment.id = payment_part.payment_id group by payment.order_id) as parts
        on parts.order_id = orders.id
      left join (select order_id, sum(fen) as fen from refund_part where brand_id is null group by order_id) as back
        on back.order_id = orders.id) as books where books.stored <> books.posted`,
  },
  {
    rule: 'parts_of_a_brand_are_within_its_price',
    query: `select books.subject, books.stored, books.posted from (select payment.order_id as subject,
        payment_part.brand_id as brand_id, sum(payment_part.amount_fen) as posted,
        (select coalesce(sum(order_item.price_fen), 0) from order_item
          join template_version on template_version.id = order_item.template_version_id
          where order_item.order_id = payment.order_id and template_version.brand_id = payment_part.brand_id) as stored
      from payment join payment_part on payment_part.payment_id = payment.id where payment.state in ${arrived}
      group by payment.order_id, payment_part.brand_id) as books where books.posted > books.stored`,
  },
  {
    // `<> 'VALUE'` and not `= 'CNY'`: SQLite would read all postings in CNY for each payment, by the index of accounts.
    rule: 'a_payment_is_posted_once_on_the_account_of_its_source',
    query: `select payment.id as subject, payment.paid_fen as stored, coalesce(sum(posting.amount), 0) as posted
      from payment left join entry on entry.ref = payment.id and entry.kind in ('funds_received', 'funds_undone', 'paid_from_wallet', 'paid_on_credit')
      left join posting on posting.entry_id = entry.id and posting.unit <> 'VALUE' and (
        (payment.source = 'wechat_pay' and posting.account = COLLECTED)
        or (payment.source = 'wallet' and posting.account = WALLET_OF_PAYER)
        or (payment.source = 'credit_line' and posting.account = CREDIT_OF_PAYER)
        or (payment.source = 'bank_transfer'
          and (posting.account like 'custody-bank:%' or posting.account like 'collected:%')))
      where payment.state in ${arrived} group by payment.id, payment.paid_fen
      having payment.paid_fen <> coalesce(sum(posting.amount), 0)`,
  },
  {
    rule: 'a_bank_payment_is_its_statement_line',
    query: `select payment.id as subject, payment.paid_fen as stored, coalesce(sum(statement_line.amount_fen), 0) as posted
      from payment left join statement_line on statement_line.payment_id = payment.id
      where payment.source = 'bank_transfer' and payment.state in ${arrived} group by payment.id, payment.paid_fen
      having payment.paid_fen <> coalesce(sum(statement_line.amount_fen), 0)`,
  },
  {
    rule: 'unmatched_lines_wait_in_their_account',
    query: ['bank', 'wechat_income']
      .map(
        (source) => `select books.subject, books.stored, books.posted from (select 'unmatched:${source}' as subject,
        (select coalesce(sum(amount_fen), 0) from statement_line where outcome = 'unmatched' and source = '${source}') as stored,
        -(select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = 'unmatched:${source}') as posted
      ) as books where books.stored <> books.posted`,
      )
      .join(' union all '),
  },
  {
    rule: 'a_payment_says_what_arrived',
    query: `select id as subject, coalesce(paid_fen, 0) as stored, amount_fen as posted from payment
      where (state in ${arrived} and (paid_fen is null or outcome is null or paid_at_ms is null
          or (source = 'wechat_pay' and transaction_id is null)))
        or (state not in ${arrived} and (paid_fen is not null or outcome is not null))`,
  },
  {
    rule: 'money_that_was_posted_has_its_payment',
    // A line that was somebody else's leaves nothing of its money with the payment.
    query: `select entry.ref as subject, 0 as stored, 0 - sum(posting.amount) as posted
      from entry join posting on posting.entry_id = entry.id
        and (posting.account like 'order-funds:%' or posting.account like 'overpaid:%')
      left join payment on payment.id = entry.ref and payment.state in ${arrived}
      where entry.kind in ('funds_received', 'funds_undone', 'paid_from_wallet', 'paid_on_credit')
        and entry.ref like 'pay%' and payment.id is null
      group by entry.ref having sum(posting.amount) <> 0`,
  },
  {
    rule: 'a_wallet_payment_is_its_movement',
    query: `select payment.id as subject, payment.paid_fen as stored, -coalesce(sum(wallet_movement.amount_fen), 0) as posted
      from payment left join wallet_movement on wallet_movement.company_id = payment.company_id
        and wallet_movement.ref = payment.id and wallet_movement.kind = 'spent'
      where payment.source = 'wallet' and payment.state in ${arrived} group by payment.id, payment.paid_fen
      having payment.paid_fen <> -coalesce(sum(wallet_movement.amount_fen), 0)`,
  },
  {
    // What a company owed on its credit line is repaid first.
    rule: 'a_top_up_is_its_statement_line',
    query: `select books.subject, books.stored, books.posted from (select statement_line.id as subject,
        statement_line.amount_fen as stored,
        (select coalesce(sum(amount_fen), 0) from wallet_movement where company_id = statement_line.company_id
          and ref = statement_line.id and kind in ('top_up', 'undone'))
        - (select coalesce(sum(amount_fen), 0) from credit_movement where company_id = statement_line.company_id
          and ref = statement_line.id and kind = 'repaid') as posted
      from statement_line where statement_line.outcome = 'top_up') as books where books.stored <> books.posted`,
  },
  {
    rule: 'a_line_that_paid_has_its_payment',
    query: `select statement_line.id as subject, statement_line.amount_fen as stored, 0 as posted
      from statement_line left join payment on payment.id = statement_line.payment_id and payment.state in ${arrived}
      where statement_line.outcome = 'payment' and payment.id is null`,
  },
] as const
