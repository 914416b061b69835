/** Each head in one state, each call with its people, and WeCom's limits kept (protocols wecom 10). */
export const messageChecks = [
  {
    rule: 'a_delivery_is_in_one_state',
    unit: 'heads',
    query: `select delivery.campaign_id as subject, count(*) as stored, 0 as posted from delivery
      where delivery.state not in ('planned', 'sending', 'sent', 'opened', 'claimed', 'failed', 'revoked')
        or (delivery.state = 'failed' and delivery.reason is null)
        or (delivery.state not in ('failed', 'revoked') and delivery.reason is not null)
        or (delivery.state <> 'planned' and (delivery.waits_for is not null or delivery.waits_until_ms is not null))
        or (delivery.waits_for is null and delivery.waits_until_ms is not null)
        or (delivery.state = 'claimed' and (delivery.claimed_at_ms is null or delivery.opened_at_ms is null))
      group by delivery.campaign_id`,
  },
  {
    rule: 'people_of_an_open_batch_are_its_deliveries',
    unit: 'heads',
    query: `select delivery_batch.id as subject, max(delivery_batch.people) as stored, count(delivery.id) as posted
      from delivery_batch left join delivery on delivery.batch_id = delivery_batch.id
      group by delivery_batch.id
      having (max(delivery_batch.state) = 'planned' and count(delivery.id) <> max(delivery_batch.people))
        or count(delivery.id) > max(delivery_batch.people)`,
  },
  {
    rule: 'messages_of_a_day_are_within_the_quota',
    unit: 'heads',
    query: `select send_day.company_id as subject, send_day.quota as stored, send_day.used as posted from send_day
      where send_day.used > send_day.quota or send_day.used < 0`,
  },
  {
    rule: 'nobody_gets_more_than_30_messages_a_minute',
    unit: 'heads',
    query: `select later.company_id as subject, 30 as stored, count(*) as posted
      from member_send later join member_send sooner on sooner.company_id = later.company_id
        and sooner.user_id_index = later.user_id_index
        and sooner.at_ms <= later.at_ms and sooner.at_ms > later.at_ms - 60000
      group by later.company_id, later.user_id_index, later.carrier_id having count(*) > 30`,
  },
  {
    rule: 'nobody_gets_more_than_1000_messages_an_hour',
    unit: 'heads',
    query: `select busy.company_id as subject, 1000 as stored, busy.most as posted
      from (select later.company_id, count(*) as most
        from member_send later join member_send sooner on sooner.company_id = later.company_id
          and sooner.user_id_index = later.user_id_index
          and sooner.at_ms <= later.at_ms and sooner.at_ms > later.at_ms - 3600000
        where (later.company_id, later.user_id_index) in (select company_id, user_id_index from member_send
          group by company_id, user_id_index having count(*) > 1000)
        group by later.company_id, later.user_id_index, later.carrier_id) as busy
      where busy.most > 1000`,
  },
] as const
