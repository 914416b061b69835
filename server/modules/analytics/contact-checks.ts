/**
 * People without a company account: whoever claimed has a card, and counts as having it. That a person claims once a
 * campaign is held by a unique key, which no defect gets past.
 */
export const contactChecks = [
  {
    rule: 'a_claim_has_its_delivery_claimed',
    unit: 'heads',
    query: `select claim.id as subject, 1 as stored, 0 as posted from claim where not exists (
        select 1 from delivery where delivery.campaign_id = claim.campaign_id and delivery.person_id = claim.person_id
          and delivery.company_id = claim.company_id and delivery.state = 'claimed')`,
  },
  {
    rule: 'a_claim_has_a_card_of_its_person',
    unit: 'heads',
    query: `select claim.id as subject, 1 as stored, 0 as posted from claim where not exists (
        select 1 from card join order_item on order_item.id = card.order_item_id
        join campaign on campaign.order_id = order_item.order_id
        where campaign.id = claim.campaign_id and campaign.company_id = claim.company_id
          and order_item.holder_id = claim.person_id and card.company_id = claim.company_id)`,
  },
  {
    rule: 'a_used_link_has_its_claim',
    unit: 'heads',
    query: `select claim_link.id as subject, 1 as stored, 0 as posted from claim_link
      where claim_link.state = 'used' and not exists (
        select 1 from claim where claim.campaign_id = claim_link.campaign_id and claim.person_id = claim_link.person_id)`,
  },
  {
    rule: 'a_mass_send_counts_its_targets',
    unit: 'heads',
    query: `select mass_send.id as subject, mass_send.targets as stored,
        mass_send.sent + mass_send.not_friends + mass_send.over_quota + mass_send.waiting as posted
      from mass_send where mass_send.targets
        <> mass_send.sent + mass_send.not_friends + mass_send.over_quota + mass_send.waiting`,
  },
] as const
