/** What must hold between the directory of WeCom, our people, and what was taken back from those who left. */
export const directoryChecks = [
  {
    rule: 'a_person_is_one_present_member_of_the_directory',
    unit: 'heads',
    query: `select person_id as subject, 1 as stored, count(*) as posted from directory_member
      where state = 'present' and person_id is not null group by person_id having count(*) > 1`,
  },
  {
    // Nobody looked at the card and nobody used it: what lies on it goes back to the company.
    rule: 'a_card_taken_back_from_a_leaver_is_frozen',
    query: `select card.id as subject, 0 as stored, card.balance_fen as posted from delivery
      join campaign on campaign.id = delivery.campaign_id
      join order_item on order_item.order_id = campaign.order_id and order_item.holder_id = delivery.person_id
      join card on card.order_item_id = order_item.id
      where delivery.state = 'revoked' and delivery.reason = 'person_left' and card.state = 'active'
        and not exists (select 1 from activity where activity.card_id = card.id and activity.kind <> 'issue')`,
  },
] as const
