import { namedByJobs } from './named-by-jobs.ts'

const arrived = "('paid', 'refunding', 'part_refunded', 'refunded')"
/** States in which a part over WeChat Pay has its transaction for itself: refund/rules.ts. */
const busy = "('waiting', 'returning', 'unfreezing', 'sent', 'processing', 'stuck')"
/** By the payment's own way; what goes another way (wallet credit, payout) stays on the payment. */
const sameWay = `((payment.source = 'wechat_pay' and refund_part.route = 'wechat')
  or (payment.source = 'wallet' and refund_part.route = 'wallet')
  or (payment.source = 'bank_transfer' and refund_part.route = 'bank')
  or (payment.source = 'credit_line' and refund_part.route = 'credit'))`

/** What must hold between refunds, cards, orders, payments and the ledger (design 5 and 8). */
export const refundChecks = [
  {
    rule: 'a_refund_is_the_price_of_its_cards',
    query: `select refund.id as subject, refund.amount_fen as stored, coalesce(sum(refund_item.price_fen), 0) as posted
      from refund left join refund_item on refund_item.refund_id = refund.id
      where refund.kind in ('cards', 'campaign') group by refund.id, refund.amount_fen, refund.cards_back
      having refund.amount_fen <> coalesce(sum(refund_item.price_fen), 0) or refund.cards_back <> count(refund_item.id)`,
  },
  {
    rule: 'a_refund_is_its_parts',
    query: `select refund.id as subject, refund.amount_fen as stored, coalesce(sum(refund_part.fen), 0) as posted
      from refund left join refund_part on refund_part.refund_id = refund.id
      group by refund.id, refund.amount_fen having refund.amount_fen <> coalesce(sum(refund_part.fen), 0)`,
  },
  {
    rule: 'a_card_is_refunded_with_its_item',
    query: `select card.id as subject, card.face_fen as stored, coalesce(refund_item.face_fen, 0) as posted
      from card left join refund_item on refund_item.card_id = card.id
      left join order_item on order_item.id = card.order_item_id
      where (card.state = 'refunded' and (refund_item.id is null or refund_item.price_fen <> order_item.price_fen
          or refund_item.face_fen <> card.face_fen or card.balance_fen <> 0 or card.held_fen <> 0))
        or (card.state <> 'refunded' and refund_item.id is not null)`,
  },
  {
    // Value of cards issued and not taken back is what was paid less what goes back (protocols wechat-pay 10.3).
    rule: 'cards_that_are_left_are_paid_less_refunded',
    query: `select books.subject, books.stored, books.posted from (select orders.id as subject,
        orders.issued_fen - orders.refunded_fen as stored,
        (select coalesce(sum(order_item.price_fen), 0) from order_item join card on card.order_item_id = order_item.id
          where order_item.order_id = orders.id and card.state <> 'refunded') as posted
      from orders) as books where books.stored <> books.posted`,
  },
  {
    rule: 'money_returned_unissued_is_its_refunds',
    query: `select orders.id as subject, orders.returned_fen as stored, coalesce(sum(refund.amount_fen), 0) as posted
      from orders left join refund on refund.order_id = orders.id and refund.kind = 'order_funds'
      group by orders.id, orders.returned_fen having orders.returned_fen <> coalesce(sum(refund.amount_fen), 0)`,
  },
  {
    rule: 'an_order_is_refunded_when_all_of_it_is_back',
    query: `select orders.id as subject, orders.secured_fen as stored, orders.refunded_fen + orders.returned_fen as posted
      from orders where (orders.state in ('refunding', 'refunded')
          and orders.secured_fen <> orders.refunded_fen + orders.returned_fen)
        or (orders.state = 'refunded' and exists (select 1 from refund where refund.order_id = orders.id
          and refund.kind <> 'surplus' and refund.state = 'accepted'))
        or (orders.state = 'issued' and orders.issued_fen > 0 and orders.refunded_fen = orders.issued_fen)`,
  },
  {
    rule: 'what_goes_back_of_a_part_is_its_refunds',
    query: `select payment_part.id as subject, payment_part.refunded_fen as stored, coalesce(sum(refund_part.fen), 0) as posted
      from payment_part left join refund_part on refund_part.payment_id = payment_part.payment_id
        and refund_part.brand_id = payment_part.brand_id
      group by payment_part.id, payment_part.refunded_fen
      having payment_part.refunded_fen <> coalesce(sum(refund_part.fen), 0)`,
  },
  {
    rule: 'what_goes_back_over_a_payment_is_its_refunds',
    query: `select payment.id as subject, payment.refunded_fen as stored,
        coalesce(sum(case when ${sameWay} then refund_part.fen else 0 end), 0) as posted
      from payment left join refund_part on refund_part.payment_id = payment.id
      group by payment.id, payment.refunded_fen
      having payment.refunded_fen <> coalesce(sum(case when ${sameWay} then refund_part.fen else 0 end), 0)`,
  },
  {
    rule: 'refunds_of_a_payment_are_within_what_it_brought',
    query: `select payment.id as subject, coalesce(payment.paid_fen, 0) as stored, sum(refund_part.fen) as posted
      from payment join refund_part on refund_part.payment_id = payment.id
      group by payment.id, payment.paid_fen having sum(refund_part.fen) > coalesce(payment.paid_fen, 0)`,
  },
  {
    rule: 'the_state_of_a_payment_fits_its_refunds',
    query: `select books.subject, books.stored, books.posted from (select payment.id as subject, payment.state as state,
        coalesce(payment.paid_fen, 0) as stored, payment.refunded_fen as posted, (select count(*) from refund_part
          where refund_part.payment_id = payment.id and refund_part.state <> 'done'
            and (refund_part.state <> 'paying_out' or payment.source = 'bank_transfer')
            and ${sameWay}) as open_parts
      from payment where payment.state in ${arrived}) as books
      where (books.state = 'refunding' and books.open_parts = 0) or (books.state <> 'refunding' and books.open_parts > 0)
        or (books.state = 'paid' and books.posted <> 0) or (books.state = 'refunded' and books.posted <> books.stored)
        or (books.state = 'part_refunded' and (books.posted = 0 or books.posted = books.stored))`,
  },
  {
    rule: 'what_a_refund_owes_is_in_its_account',
    query: `select books.subject, books.stored, books.posted from (select refund.id as subject,
        (select coalesce(sum(fen), 0) from refund_part where refund_id = refund.id and state <> 'done') as stored,
        -(select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = REFUND_OWED) as posted
      from refund) as books where books.stored <> books.posted`,
  },
  {
    rule: 'a_part_that_is_done_was_posted_once',
    query: `select refund_part.id as subject, refund_part.fen as stored,
        coalesce(sum(case when posting.amount > 0 then posting.amount else 0 end), 0) as posted
      from refund_part left join entry on entry.ref = refund_part.id and entry.kind = 'refunded'
      left join posting on posting.entry_id = entry.id and posting.account like 'refund-payable:%'
      group by refund_part.id, refund_part.fen, refund_part.state
      having (refund_part.state = 'done' and refund_part.fen <> coalesce(sum(case when posting.amount > 0 then posting.amount else 0 end), 0))
        or (refund_part.state <> 'done' and count(posting.entry_id) > 0)`,
  },
  {
    rule: 'a_refund_is_done_when_its_parts_are',
    query: `select refund.id as subject, refund.amount_fen as stored, 0 as posted from refund
      where (refund.state = 'done' and exists (select 1 from refund_part where refund_id = refund.id and state <> 'done'))
        or (refund.state = 'accepted' and not exists (select 1 from refund_part where refund_id = refund.id and state <> 'done'))
        or (refund.state = 'rejected' and refund.amount_fen <> 0)`,
  },
  {
    rule: 'a_wallet_gets_back_what_its_parts_say',
    query: `select wallet_movement.id as subject, wallet_movement.amount_fen as stored, coalesce(refund_part.fen, 0) as posted
      from wallet_movement left join refund_part on refund_part.id = wallet_movement.ref
        and refund_part.company_id = wallet_movement.company_id and refund_part.state = 'done'
      where wallet_movement.kind = 'refunded' and (refund_part.id is null
        or (refund_part.route in ('wallet', 'wallet_credit') and refund_part.fen <> wallet_movement.amount_fen)
        or (refund_part.route = 'credit' and refund_part.fen < wallet_movement.amount_fen)
        or refund_part.route in ('wechat', 'bank'))`,
  },
  {
    // A share and a refund of one transaction are never under way together.
    rule: 'refunds_that_wait_hold_their_transaction',
    unit: 'heads',
    query: `select payment.id as subject, payment.refunds_waiting as stored, (select count(*) from refund_part
          where refund_part.payment_id = payment.id and refund_part.route = 'wechat' and refund_part.state in ${busy}) as posted
      from payment where payment.refunds_waiting <> (select count(*) from refund_part
          where refund_part.payment_id = payment.id and refund_part.route = 'wechat' and refund_part.state in ${busy})
        or (payment.in_flight = 'refund' and not exists (select 1 from refund_part
          where refund_part.id = payment.in_flight_ref and refund_part.payment_id = payment.id and refund_part.state in ${busy}))
        or exists (select 1 from refund_part where refund_part.payment_id = payment.id and refund_part.route = 'wechat'
          and refund_part.state in ('returning', 'unfreezing', 'sent', 'processing')
          and (payment.in_flight is null or payment.in_flight <> 'refund' or payment.in_flight_ref <> refund_part.id))`,
  },
  {
    rule: 'a_refund_is_being_worked_on',
    query: `select refund_part.id as subject, refund_part.fen as stored, 0 as posted
      from refund_part join refund on refund.id = refund_part.refund_id
      where refund.state = 'accepted' and refund_part.route = 'wechat'
        and refund_part.state in ('waiting', 'returning', 'unfreezing', 'sent', 'processing') and refund_part.id not in ${namedByJobs('refundPart', 'refund.part')}
      union all select refund.id as subject, refund.cards_planned as stored, refund.cards_back as posted from refund
      where refund.state = 'requested' and refund.id not in ${namedByJobs('refund', 'refund.take-back')}`,
  },
] as const
