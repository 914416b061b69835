/** What must hold between a campaign, its order, the order's items and slices, and the cards that were made of them. */
export const issueChecks = [
  {
    rule: 'an_order_is_its_items',
    query: `select orders.id as subject, orders.total_fen as stored, coalesce(sum(order_item.price_fen), 0) as posted
      from orders left join order_item on order_item.order_id = orders.id
      group by orders.id, orders.total_fen, orders.item_count
      having orders.total_fen <> coalesce(sum(order_item.price_fen), 0) or orders.item_count <> count(order_item.id)`,
  },
  {
    // An item outside of every slice would be paid for and never made.
    rule: 'the_slices_of_an_order_are_its_items',
    unit: 'heads',
    query: `select orders.id as subject, orders.item_count as stored,
        coalesce(sum(order_slice.to_seq - order_slice.from_seq), 0) as posted
      from orders left join order_slice on order_slice.order_id = orders.id group by orders.id, orders.item_count
      having orders.item_count <> coalesce(sum(order_slice.to_seq - order_slice.from_seq), 0)`,
  },
  {
    rule: 'issued_slices_have_their_cards_and_planned_ones_none',
    unit: 'heads',
    query: `select plan.order_id as subject, plan.heads as stored, coalesce(made.heads, 0) as posted
      from (select order_id, sum(case when state = 'issued' then to_seq - from_seq else 0 end) as heads
        from order_slice group by order_id) as plan
      left join (select order_item.order_id as order_id, count(*) as heads from card
        join order_item on order_item.id = card.order_item_id group by order_item.order_id) as made
        on made.order_id = plan.order_id
      where plan.heads <> coalesce(made.heads, 0)`,
  },
  {
    rule: 'issued_money_is_the_price_of_the_cards',
    query: `select orders.id as subject, orders.issued_fen as stored, coalesce(sum(order_item.price_fen), 0) as posted
      from orders left join (order_item join card on card.order_item_id = order_item.id)
        on order_item.order_id = orders.id
      group by orders.id, orders.issued_fen having orders.issued_fen <> coalesce(sum(order_item.price_fen), 0)`,
  },
  {
    rule: 'a_card_is_what_its_item_says',
    query: `select card.id as subject, card.face_fen as stored, coalesce(order_item.face_fen, 0) as posted
      from card left join order_item on order_item.id = card.order_item_id
      left join orders on orders.id = order_item.order_id
      left join template_version on template_version.id = order_item.template_version_id
      where order_item.id is null or order_item.face_fen <> card.face_fen
        or (order_item.holder_id <> card.holder_id and not exists (select 1 from activity
          where activity.card_id = card.id and activity.kind in ('gift', 'bind')))
        or order_item.template_version_id <> card.template_version_id or template_version.brand_id <> card.brand_id
        or coalesce(orders.company_id, '') <> coalesce(card.company_id, '')`,
  },
  {
    rule: 'the_state_of_an_order_fits_its_money',
    query: `select id as subject, total_fen as stored, secured_fen as posted from orders
      where (state = 'awaiting_funds' and secured_fen >= total_fen)
        or (state in ('funded', 'issuing', 'issued', 'closed') and secured_fen < total_fen)
        or (state in ('placing', 'cancelled') and secured_fen <> 0)`,
  },
  {
    rule: 'the_state_of_an_order_fits_its_cards',
    query: `select id as subject, total_fen as stored, issued_fen as posted from orders
      where (state in ('placing', 'awaiting_funds', 'funded', 'cancelled') and issued_fen <> 0)
        or (state in ('issued', 'closed') and issued_fen <> total_fen)
        or (state = 'issuing' and issued_fen >= total_fen)`,
  },
  {
    rule: 'a_campaign_is_its_order',
    query: `select campaign.id as subject, coalesce(campaign.price_total_fen, 0) as stored,
        coalesce(orders.total_fen, 0) as posted
      from campaign left join orders on orders.id = campaign.order_id
      where (campaign.state in ('approved', 'running', 'finished') and (orders.id is null
          or orders.company_id <> campaign.company_id or campaign.heads <> orders.item_count
          or campaign.price_total_fen <> orders.total_fen or orders.state in ('placing', 'cancelled')))
        or (campaign.state = 'cancelled' and orders.state not in ('cancelled', 'refunding', 'refunded'))
        or (campaign.state = 'finished' and orders.state not in ('issued', 'closed', 'refunding', 'refunded'))`,
  },
  {
    rule: 'the_faces_of_a_campaign_are_its_items',
    query: `select campaign.id as subject, campaign.face_total_fen as stored, sum(order_item.face_fen) as posted
      from campaign join order_item on order_item.order_id = campaign.order_id
      group by campaign.id, campaign.face_total_fen having campaign.face_total_fen <> sum(order_item.face_fen)`,
  },
  {
    rule: 'an_issue_owes_brands_channels_and_platform_what_the_cards_hold',
    query: `select books.subject, books.stored, books.posted from (select entry.id as subject,
        -sum(case when posting.unit = 'CNY' and (posting.account like 'brand-payable:%'
          or posting.account like 'channel-payable:%' or posting.account = 'platform-fee') then posting.amount else 0 end) as stored,
        sum(case when posting.unit = 'VALUE' and posting.account like 'cards:%' then posting.amount else 0 end) as posted
      from entry join posting on posting.entry_id = entry.id where entry.kind = 'issued' group by entry.id) as books
      where books.stored <> books.posted`,
  },
  {
    // Card by card, rounded down, by the terms that were in force when the order was placed (decision 0017).
    rule: 'an_issue_is_cut_as_the_terms_say',
    query: `select due.order_id as subject, due.fen as stored, coalesce(cut.fen, 0) as posted
      from (select made.order_id as order_id,
          sum(made.cards * (made.price_fen * coalesce(brand_terms.platform_bp, 0)
            - made.price_fen * coalesce(brand_terms.platform_bp, 0) % 10000) / 10000) as fen
        from (select order_item.order_id as order_id, card.brand_id as brand_id, order_item.price_fen as price_fen,
            count(*) as cards
          from card join order_item on order_item.id = card.order_item_id
          group by order_item.order_id, card.brand_id, order_item.price_fen) as made
        left join orders on orders.id = made.order_id
        left join brand_terms on brand_terms.brand_id = made.brand_id and brand_terms.number = (select max(newest.number)
          from brand_terms as newest
          where newest.brand_id = made.brand_id and newest.created_at_ms <= orders.created_at_ms)
        group by made.order_id) as due
      left join (select order_slice.order_id as order_id,
          sum(case when entry.kind = 'issued' then 0 - posting.amount else 0 end) as fen
        from posting left join entry on entry.id = posting.entry_id left join order_slice on order_slice.id = entry.ref
        where posting.account = 'platform-fee' group by order_slice.order_id) as cut on cut.order_id = due.order_id
      where due.fen <> coalesce(cut.fen, 0)`,
  },
  {
    // What a brand ever gave out and did not take back is on its cards still, or was spent.
    rule: 'value_outstanding_is_in_the_cards',
    query: `select brand.id as subject, coalesce(held.fen, 0) + coalesce(spent.fen, 0) as stored,
        -coalesce(books.fen, 0) as posted
      from brand left join (select brand_id, sum(balance_fen) as fen from card group by brand_id) as held
        on held.brand_id = brand.id
      left join (select brand_id, sum(captured_fen - refunded_fen) as fen from redemption group by brand_id) as spent
        on spent.brand_id = brand.id
      left join (select account, sum(amount) as fen from posting where unit = 'VALUE' group by account) as books
        on books.account = BRAND_OUTSTANDING
      where coalesce(held.fen, 0) + coalesce(spent.fen, 0) <> -coalesce(books.fen, 0)`,
  },
  {
    rule: 'the_last_activity_says_the_balance',
    query: `select card.id as subject, card.balance_fen as stored, coalesce(last.balance_fen, 0) as posted
      from card left join (select card_id, max(seq) as seq, count(*) as total from activity group by card_id) as ends
        on ends.card_id = card.id
      left join activity as last on last.card_id = ends.card_id and last.seq = ends.seq
      where last.card_id is null or last.balance_fen <> card.balance_fen or ends.seq <> ends.total
        or ends.seq <> card.activities`,
  },
  {
    rule: 'held_value_has_its_hold',
    query: `select card.id as subject, card.held_fen as stored, coalesce(holds.fen, 0) as posted
      from card left join (select card_id, sum(amount_fen - captured_fen) as fen from hold where state = 'held' group by card_id) as holds
        on holds.card_id = card.id
      where card.held_fen <> coalesce(holds.fen, 0)`,
  },
] as const
