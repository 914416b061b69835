/** What must hold between purchases at tills, what they hold and took of cards, the tills' journal, shifts and the ledger. */
export const redemptionChecks = [
  {
    rule: 'what_a_shop_took_is_its_journal',
    query: `select shop.id as subject, coalesce(journal.fen, 0) as stored, coalesce(books.fen, 0) as posted
      from shop left join (select shop_id, sum(case when kind = 'capture' then amount_fen else 0 - amount_fen end) as fen
        from redemption_movement group by shop_id) as journal on journal.shop_id = shop.id
      left join (select account, sum(amount) as fen from posting where unit = 'VALUE' group by account) as books
        on books.account = SHOP_REDEEMED
      where coalesce(journal.fen, 0) <> coalesce(books.fen, 0)`,
  },
  {
    rule: 'an_entry_of_tills_is_its_movements',
    query: `select moved.entry_id as subject, moved.fen as stored, coalesce(books.fen, 0) as posted
      from (select entry_id, sum(case when kind = 'capture' then amount_fen else 0 - amount_fen end) as fen
        from redemption_movement group by entry_id) as moved
      left join (select entry_id, sum(amount) as fen from posting where account like 'redeemed:%' group by entry_id) as books
        on books.entry_id = moved.entry_id
      where moved.fen <> coalesce(books.fen, 0)`,
  },
  {
    rule: 'a_purchase_is_its_movements',
    query: `select redemption.id as subject, redemption.captured_fen - redemption.refunded_fen as stored,
        coalesce(moved.taken, 0) - coalesce(moved.back, 0) as posted
      from redemption left join (select redemption_id,
          sum(case when kind = 'capture' then amount_fen else 0 end) as taken,
          sum(case when kind = 'capture' then 0 else amount_fen end) as back
        from redemption_movement group by redemption_id) as moved on moved.redemption_id = redemption.id
      where redemption.captured_fen <> coalesce(moved.taken, 0) or redemption.refunded_fen <> coalesce(moved.back, 0)`,
  },
  {
    rule: 'a_movement_has_its_purchase_in_its_shop',
    query: `select redemption_movement.id as subject, redemption_movement.amount_fen as stored, 0 as posted
      from redemption_movement left join redemption on redemption.id = redemption_movement.redemption_id
      where redemption.id is null or redemption.shop_id <> redemption_movement.shop_id`,
  },
  {
    rule: 'a_purchase_is_what_its_cards_hold_and_paid',
    query: `select redemption.id as subject, redemption.captured_fen as stored, coalesce(paid.taken, 0) as posted
      from redemption left join (select ref, sum(amount_fen) as fen, sum(captured_fen) as taken,
          sum(refunded_fen) as back from hold group by ref) as paid on paid.ref = redemption.id
      where redemption.authorised_fen <> coalesce(paid.fen, 0) or redemption.captured_fen <> coalesce(paid.taken, 0)
        or redemption.refunded_fen <> coalesce(paid.back, 0)`,
  },
  {
    rule: 'a_purchase_is_on_the_history_of_its_cards',
    // Summed up together: joined, MariaDB reads all of a card's history for each of its purchases.
    query: `select ref as subject, sum(paid) as stored, sum(moved) as posted from (
        select ref, card_id, captured_fen - refunded_fen as paid, 0 as moved from hold
        union all select ref, card_id, 0 as paid, 0 - amount_fen as moved from activity
          where kind in ('capture', 'capture_refund', 'capture_undo')) as sides
      group by ref, card_id having sum(paid) <> sum(moved)`,
  },
  {
    rule: 'the_state_of_a_purchase_fits_its_amounts',
    query: `select id as subject, captured_fen as stored, refunded_fen as posted from redemption
      where (state in ('opened', 'voided', 'timed_out') and captured_fen <> 0)
        or (state = 'opened' and (bill_fen <> 0 or authorised_fen <> 0))
        or (state in ('held', 'captured') and refunded_fen <> 0)
        or (state in ('captured', 'part_refunded', 'refunded') and captured_fen = 0)
        or (state = 'part_refunded' and (refunded_fen = 0 or refunded_fen = captured_fen))
        or (state = 'refunded' and refunded_fen <> captured_fen)`,
  },
  {
    rule: 'only_an_open_purchase_holds_value',
    query: `select hold.ref as subject, sum(hold.amount_fen - hold.captured_fen) as stored, 0 as posted
      from hold join redemption on redemption.id = hold.ref
      where (hold.state = 'held') <> (redemption.state = 'held')
      group by hold.ref`,
  },
  {
    rule: 'a_card_is_used_up_when_nothing_is_on_it',
    query: `select id as subject, balance_fen as stored, 0 as posted from card
      where (state = 'active' and balance_fen = 0) or (state = 'exhausted' and balance_fen <> 0)`,
  },
  {
    rule: 'a_card_pays_where_its_issuer_is',
    query: `select hold.id as subject, hold.amount_fen as stored, 0 as posted
      from hold join redemption on redemption.id = hold.ref join card on card.id = hold.card_id
      join shop on shop.id = redemption.shop_id
      where card.brand_id <> redemption.brand_id or shop.brand_id <> redemption.brand_id
        or shop.merchant_id <> redemption.merchant_id`,
  },
  {
    rule: 'a_used_code_has_its_purchase',
    unit: 'heads',
    query: `select used_code.redemption_id as subject, count(*) as stored, 0 as posted
      from used_code left join redemption on redemption.id = used_code.redemption_id
      where redemption.id is null group by used_code.redemption_id`,
  },
  {
    rule: 'a_closed_shift_is_its_movements',
    query: `select shift.id as subject, shift.captured_fen - shift.returned_fen as stored,
        coalesce(moved.taken, 0) - coalesce(moved.back, 0) as posted
      from shift left join (select shift_id,
          sum(case when kind = 'capture' then amount_fen else 0 end) as taken,
          sum(case when kind = 'capture' then 0 else amount_fen end) as back
        from redemption_movement group by shift_id) as moved on moved.shift_id = shift.id
      where shift.state = 'closed'
        and (shift.captured_fen <> coalesce(moved.taken, 0) or shift.returned_fen <> coalesce(moved.back, 0))`,
  },
] as const
