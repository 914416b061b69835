import { namedByJobs } from './named-by-jobs.ts'

/** What must hold between gifts, the cards that they are of, what is set aside for them, and in whose hands cards are. */
export const giftChecks = [
  {
    // All that was on it when it was offered; what tills gave back since stands beside it.
    rule: 'an_open_gift_holds_all_of_its_card',
    query: `select gift.id as subject, coalesce(hold.amount_fen, 0) as stored, coalesce(card.balance_fen, 0) as posted
      from gift left join hold on hold.id = gift.hold_id left join card on card.id = gift.card_id
      where gift.state = 'offered' and (hold.id is null or card.id is null or hold.state <> 'held'
        or hold.card_id <> gift.card_id or hold.ref <> gift.id or card.holder_id <> gift.from_id
        or hold.amount_fen > card.balance_fen
        or card.balance_fen - hold.amount_fen > coalesce((select sum(activity.amount_fen) from activity
          where activity.card_id = card.id and activity.amount_fen > 0 and activity.at_ms >= gift.created_at_ms), 0))`,
  },
  {
    rule: 'a_gift_that_is_over_holds_nothing',
    query: `select gift.id as subject, hold.amount_fen as stored, 0 as posted
      from gift join hold on hold.id = gift.hold_id where gift.state <> 'offered' and hold.state = 'held'`,
  },
  {
    rule: 'an_open_gift_is_being_ended',
    query: `select gift.id as subject, hold.amount_fen as stored, 0 as posted
      from gift join hold on hold.id = gift.hold_id
      where gift.state = 'offered' and gift.id not in ${namedByJobs('gift', 'gift.end')}`,
  },
  {
    rule: 'a_claimed_gift_passed_its_card_on_once',
    unit: 'heads',
    query: `select gift.id as subject, case when gift.state = 'claimed' then 1 else 0 end as stored,
        count(activity.seq) as posted
      from gift left join activity on activity.ref = gift.id and activity.kind = 'gift'
        and activity.card_id = gift.card_id
      group by gift.id, gift.state, gift.to_id, gift.claimed_at_ms
      having count(activity.seq) <> case when gift.state = 'claimed' then 1 else 0 end
        or (gift.state = 'claimed' and (gift.to_id is null or gift.claimed_at_ms is null))`,
  },
  {
    // Who holds a card is who got it last: by a gift that they claimed, or by its number and secret. From card to card,
    // each with its last hand looked up once: free to choose, MariaDB compares all that ever happened to a card with itself.
    rule: 'a_card_is_in_its_last_hand',
    query: `select card.id as subject, card.balance_fen as stored, 0 as posted
      from card left join (select card_id, max(seq) as seq from activity where kind in ('gift', 'bind') group by card_id)
        as last on last.card_id = card.id
      left join activity as hand on hand.card_id = last.card_id and hand.seq = last.seq
      left join gift on gift.id = hand.ref
      where case coalesce(hand.kind, '') when 'bind' then hand.ref <> card.holder_id
        when 'gift' then gift.id is null or coalesce(gift.to_id, '') <> card.holder_id else 1 = 0 end`,
  },
  {
    rule: 'a_card_counts_its_gifts',
    unit: 'heads',
    query: `select card.id as subject, card.gift_depth as stored, coalesce(hands.gifts, 0) as posted
      from card left join (select card_id, count(*) as gifts from activity where kind = 'gift' group by card_id) as hands
        on hands.card_id = card.id
      where card.gift_depth <> coalesce(hands.gifts, 0)`,
  },
  {
    rule: 'a_replaced_card_has_retired_its_number',
    unit: 'heads',
    query: `select card.id as subject, coalesce(again.times, 0) as stored, coalesce(old.numbers, 0) as posted
      from card left join (select card_id, count(*) as times from activity where kind = 'reissue' group by card_id)
        as again on again.card_id = card.id
      left join (select card_id, count(*) as numbers from retired_number group by card_id) as old
        on old.card_id = card.id
      where coalesce(again.times, 0) <> coalesce(old.numbers, 0)
        or exists (select 1 from retired_number where retired_number.number = card.number)`,
  },
] as const
