/**
 * What was booked on one kind of account for a line itself. `<> 'VALUE'` and not `= 'CNY'`: SQLite would read all postings
 * in CNY for each line, by the index of accounts.
 */
const booked = (account: string) => `(select coalesce(sum(posting.amount), 0) from entry
  join posting on posting.entry_id = entry.id and posting.unit <> 'VALUE' and posting.account like '${account}:%'
  where entry.ref = statement_line.id)`

/** What must hold of lines of bank statements and incomes, what a person said of them, and of combined payments. */
export const statementChecks = [
  {
    rule: 'a_combined_payment_stands_as_a_whole',
    query: `select books.subject, books.stored, books.posted from (select payment.combine_no as subject,
        count(*) as stored,
        sum(case when payment.state in ('paid', 'refunding', 'part_refunded', 'refunded') then 1 else 0 end) as posted,
        min(payment.state) as least, max(payment.state) as most
      from payment where payment.combine_no is not null group by payment.combine_no) as books
      where books.stored < 2 or (books.posted > 0 and books.posted < books.stored)
        or (books.posted = 0 and books.least <> books.most)`,
  },
  {
    rule: 'a_line_waits_as_unmatched_until_it_is_decided',
    query: `select books.subject, books.stored, books.posted from (select statement_line.id as subject,
        case when statement_line.outcome = 'unmatched' then statement_line.amount_fen else 0 end as stored,
        -${booked('unmatched')} as posted from statement_line) as books where books.stored <> books.posted`,
  },
  {
    rule: 'money_that_is_not_ours_is_owed_until_it_went_back',
    query: `select books.subject, books.stored, books.posted from (select statement_line.id as subject,
        case when statement_line.outcome = 'not_ours' then statement_line.amount_fen else 0 end as stored,
        -${booked('to-send-back')} as posted from statement_line) as books where books.stored <> books.posted`,
  },
  {
    // Decision 0025: the bank's line moves it from our merchant account to custody, once.
    rule: 'money_that_was_withdrawn_left_our_merchant_account',
    query: `select books.subject, books.stored, books.posted from (select statement_line.id as subject,
        case when statement_line.outcome = 'withdrawn' then statement_line.amount_fen else 0 end as stored,
        (select -coalesce(sum(posting.amount), 0) from entry join posting on posting.entry_id = entry.id
          where entry.ref = statement_line.id and entry.kind in ('withdrawn', 'withdrawal_undone')
            and posting.account like 'collected:%') as posted
      from statement_line where statement_line.source = 'bank' and statement_line.direction = 'in') as books
      where books.stored <> books.posted`,
  },
  {
    // What we withdrew we brought to custody, what came into our merchant account we owe it: settle-own-merchant.ts.
    rule: 'what_our_merchant_account_moved_is_on_our_payouts',
    query: `select books.subject, books.stored, books.posted from (select 'platform' as subject,
        (select coalesce(sum(case when outcome = 'withdrawn' then amount_fen else 0 - amount_fen end), 0)
          from statement_line where outcome = 'withdrawn'
            or (source = 'wechat_income' and outcome in ('unmatched', 'payment', 'top_up', 'not_ours'))) as stored,
        (select coalesce(sum(amount_fen), 0) from payout_item where kind = 'withdrawal') as posted) as books
      where books.stored <> books.posted and not exists (select 1 from job
        where job.state in ('ready', 'leased') and job.kind = 'payouts.match')`,
  },
  {
    rule: 'money_that_went_back_has_the_line_that_shows_it',
    query: `select statement_line.id as subject, statement_line.amount_fen as stored,
        coalesce(other.amount_fen, 0) as posted
      from statement_line left join statement_line as other on other.id = statement_line.ref
        and other.ref = statement_line.id and other.direction <> statement_line.direction
        and other.outcome in ('sent_back', 'returned') and other.amount_fen = statement_line.amount_fen
      where statement_line.outcome in ('sent_back', 'returned') and other.id is null`,
  },
  {
    rule: 'a_line_is_what_its_direction_allows',
    query: `select id as subject, amount_fen as stored, 0 as posted from statement_line
      where (direction = 'in' and outcome not in ('unmatched', 'payment', 'top_up', 'withdrawn', 'not_ours', 'sent_back'))
        or (direction = 'out' and (outcome not in ('outgoing', 'paid_out', 'returned')
          or (outcome <> 'outgoing' and ref is null)))
        or ((source = 'wechat_income' or outcome = 'withdrawn') and mchid is null)`,
  },
] as const
