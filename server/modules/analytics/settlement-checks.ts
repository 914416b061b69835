import { namedByJobs } from './named-by-jobs.ts'

const given = "('success', 'returning', 'returned')"

/** What must hold between shared transactions, their calls and receivers, payouts and the ledger. */
export const settlementChecks = [
  {
    rule: 'a_settled_transaction_is_shared_unfrozen_kept_and_refunded',
    query: `select id as subject, paid_fen as stored, shared_fen + unfrozen_fen + fee_fen + refunded_fen as posted
      from split where state = 'finished' and paid_fen <> coalesce(shared_fen + unfrozen_fen + fee_fen + refunded_fen, -1)`,
  },
  {
    rule: 'what_a_split_shared_is_its_receivers',
    query: `select books.subject, books.stored, books.posted from (select split.id as subject, split.shared_fen as stored,
        (select coalesce(sum(split_receiver.amount_fen), 0) from split_receiver
          where split_receiver.split_id = split.id and split_receiver.state in ${given}) as posted
      from split) as books where books.stored <> books.posted`,
  },
  {
    rule: 'what_receivers_gave_back_is_their_returns',
    query: `select books.subject, books.stored, books.posted from (select split.id as subject, split.returned_fen as stored,
        (select coalesce(sum(split_receiver.returned_fen), 0) from split_receiver
          where split_receiver.split_id = split.id) as posted,
        (select coalesce(sum(split_return.amount_fen), 0) from split_return
          where split_return.split_id = split.id and split_return.state = 'done') as returns
      from split) as books where books.stored <> books.posted or books.posted <> books.returns`,
  },
  {
    rule: 'a_share_is_posted_once_from_who_collected',
    query: `select split_receiver.id as subject,
        case when split_receiver.state in ${given} then split_receiver.amount_fen else 0 end as stored,
        -coalesce(sum(posting.amount), 0) as posted
      from split_receiver join split on split.id = split_receiver.split_id
      left join entry on entry.ref = split_receiver.id and entry.kind = 'split'
      left join posting on posting.entry_id = entry.id and posting.account = OF_COLLECTOR
      group by split_receiver.id, split_receiver.state, split_receiver.amount_fen
      having case when split_receiver.state in ${given} then split_receiver.amount_fen else 0 end
        <> -coalesce(sum(posting.amount), 0)`,
  },
  {
    rule: 'a_return_is_posted_once_to_who_collected',
    query: `select split_return.id as subject,
        case when split_return.state = 'done' then split_return.amount_fen else 0 end as stored,
        coalesce(sum(posting.amount), 0) as posted
      from split_return join split on split.id = split_return.split_id
      left join entry on entry.ref = split_return.id and entry.kind = 'split_returned'
      left join posting on posting.entry_id = entry.id and posting.account = OF_COLLECTOR
      group by split_return.id, split_return.state, split_return.amount_fen
      having case when split_return.state = 'done' then split_return.amount_fen else 0 end
        <> coalesce(sum(posting.amount), 0)`,
  },
  {
    rule: 'the_end_of_a_split_is_posted_once',
    query: `select books.subject, books.stored, books.posted from (select split.id as subject,
        case when split.state <> 'finished' then 0 when split.collector = 'brand'
          then split.fee_fen + split.unfrozen_fen + split.kept_fen else split.fee_fen end as stored,
        (select coalesce(sum(case when posting.account = OF_COLLECTOR then 0 - posting.amount else 0 end), 0)
          from entry left join posting on posting.entry_id = entry.id
          where entry.ref = split.id and entry.kind in ('wechat_fee', 'unfrozen', 'returns_kept')) as posted
      from split) as books where books.stored <> books.posted`,
  },
  {
    // What no refund takes (any more) of what came back is who collected's: settlement/keep-returns.ts.
    rule: 'what_is_kept_of_returns_is_who_collected_it_has',
    query: `select books.subject, books.stored, books.posted from (select split.id as subject, split.kept_fen as stored,
        (select coalesce(sum(split_return.amount_fen), 0) from split_return
          where split_return.split_id = split.id and split_return.kept_at_ms is not null) as posted
      from split) as books where books.stored <> books.posted
      union all select split_return.id as subject, split_return.amount_fen as stored, 0 as posted from split_return
        join split on split.id = split_return.split_id and split.state = 'finished'
        join refund_part on refund_part.id = split_return.refund_part_id and refund_part.route <> 'wechat'
        where split_return.state = 'done' and split_return.kept_at_ms is null`,
  },
  {
    rule: 'a_call_under_way_holds_its_transaction',
    unit: 'heads',
    query: `select split_call.id as subject, 1 as stored, 0 as posted from split_call
      join split on split.id = split_call.split_id join payment on payment.id = split.payment_id
      where split_call.state in ('sent', 'processing') and split_call.error is null and split.unfreeze_for is null
        and (payment.in_flight is null or payment.in_flight <> 'share' or payment.in_flight_ref <> split.id)`,
  },
  {
    rule: 'a_transaction_is_held_for_sharing_by_an_open_split',
    unit: 'heads',
    query: `select payment.id as subject, 1 as stored, 0 as posted from payment
      left join split on split.id = payment.in_flight_ref and split.payment_id = payment.id
        and split.state in ('planned', 'sharing', 'unfreezing')
      where payment.in_flight = 'share' and split.id is null`,
  },
  {
    rule: 'a_call_of_sharing_has_1_to_50_receivers',
    unit: 'heads',
    query: `select split_call.id as subject, count(split_receiver.id) as stored, 1 as posted from split_call
      left join split_receiver on split_receiver.call_id = split_call.id where split_call.kind = 'share'
      group by split_call.id having count(split_receiver.id) < 1 or count(split_receiver.id) > 50`,
  },
  {
    rule: 'a_transaction_has_at_most_50_calls',
    unit: 'heads',
    query: `select split_id as subject, count(*) as stored, 50 as posted from split_call
      where state in ('sent', 'processing', 'finished') group by split_id having count(*) > 50`,
  },
  {
    rule: 'an_open_split_is_being_driven',
    query: `select split.id as subject, split.paid_fen as stored, 0 as posted from split
      where split.state in ('planned', 'sharing', 'unfreezing') and split.id not in ${namedByJobs('split', 'share.send', 'share.poll')}`,
  },
  {
    rule: 'an_open_return_is_being_driven',
    query: `select split_return.id as subject, split_return.amount_fen as stored, 0 as posted from split_return
      where split_return.state in ('planned', 'sent', 'processing') and split_return.id not in ${namedByJobs('splitReturn', 'share.return')}`,
  },
  {
    rule: 'an_issued_order_is_being_settled',
    // The key of each such job is its kind, a colon and the order's id: each job finds its order without looking at all.
    query: `select orders.id as subject, orders.issued_fen as stored, 0 as posted
      from job join orders on orders.id = substr(job.job_key, 17, 17)
      left join settlement on settlement.order_id = orders.id
      where job.kind = 'settlement.plan' and orders.state = 'issued' and settlement.order_id is null
      group by orders.id, orders.issued_fen having sum(case when job.state in ('ready', 'leased') then 1 else 0 end) = 0`,
  },
  {
    rule: 'what_sharing_does_not_bring_is_on_payouts',
    query: `select books.subject, books.stored, books.posted from (select orders.id as subject,
        orders.issued_fen - settlement.held_fen
          - (select coalesce(sum(split.paid_fen - split.refunded_fen), 0) from split
            where split.order_id = orders.id) as stored,
        (select coalesce(sum(payout_item.amount_fen), 0) from payout_item
          where payout_item.order_id = orders.id and payout_item.kind = 'settlement') as posted
      from orders join settlement on settlement.order_id = orders.id
      where orders.refunded_fen = 0 and not exists (select 1 from payment where payment.order_id = orders.id
        and payment.refunded_fen > 0)) as books where books.stored <> books.posted`,
  },
  {
    // What a company owes lies with the newest of its payments on credit: settlement/read-unrepaid.ts.
    rule: 'what_a_company_has_not_repaid_is_on_no_payout',
    query: `select books.order_id as subject, settlement.held_fen as stored,
        sum(case when books.net < books.owed - (books.until - books.net) then books.net
          when books.owed > books.until - books.net then books.owed - (books.until - books.net) else 0 end) as posted
      from (select own.order_id as order_id, own.company_id as company_id, own.net as net, own.owed as owed,
          sum(own.net) over (partition by own.company_id order by own.id desc) as until from (
        select payment.id as id, payment.order_id as order_id, payment.company_id as company_id, credit_line.owed_fen as owed,
          payment.paid_fen - (select coalesce(sum(refund_part.fen), 0) from refund_part
            where refund_part.payment_id = payment.id and refund_part.route = 'credit' and refund_part.state = 'done') as net
        from payment join credit_line on credit_line.company_id = payment.company_id
        where payment.source = 'credit_line' and payment.state in ('paid', 'refunding', 'part_refunded', 'refunded')) as own
      ) as books join settlement on settlement.order_id = books.order_id
      where not exists (select 1 from refund where refund.order_id = books.order_id and refund.state = 'requested')
        and books.company_id not in ${namedByJobs('company', 'credit.settle')}
      group by books.order_id, settlement.held_fen
      having settlement.held_fen <> sum(case when books.net < books.owed - (books.until - books.net) then books.net
        when books.owed > books.until - books.net then books.owed - (books.until - books.net) else 0 end)`,
  },
  {
    rule: 'a_payout_is_its_items',
    query: `select books.subject, books.stored, books.posted from (select payout.id as subject,
        case when payout.state in ('cancelled') then 0 else payout.amount_fen end as stored,
        (select coalesce(sum(payout_item.amount_fen), 0) from payout_item where payout_item.payout_id = payout.id) as posted
      from payout) as books where books.stored <> books.posted`,
  },
  {
    // What goes back to a payer is posted with its refund.
    rule: 'a_paid_payout_left_custody',
    query: `select books.subject, books.stored, books.posted from (select payout.id as subject,
        case when payout.state = 'paid' then payout.amount_fen else 0 end as stored,
        (select -coalesce(sum(posting.amount), 0) from entry join posting on posting.entry_id = entry.id
          where entry.ref = payout.id and entry.kind = 'paid_out' and posting.account like 'custody-bank:%') as posted
      from payout where payout.payee not like 'refund:%') as books where books.stored <> books.posted`,
  },
] as const
