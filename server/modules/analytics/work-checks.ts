import { namedByJobs } from './named-by-jobs.ts'

const watched = namedByJobs('payment', 'payment.watch')

/**
 * What waits must have somebody who works on it: each of these objects would stand still for ever without a job that is
 * ready or under way. A job that died is found here by what it leaves behind.
 */
export const workChecks = [
  {
    // One of a combined payment is watched for all of it.
    rule: 'an_open_qr_code_is_watched',
    query: `select payment.id as subject, payment.amount_fen as stored, 0 as posted from payment
      where payment.state = 'opened' and payment.source = 'wechat_pay' and payment.id not in ${watched}
      and (payment.combine_no is null or not exists (select 1 from payment as mate
        where mate.combine_no = payment.combine_no and mate.id in ${watched}))`,
  },
  {
    rule: 'a_funded_order_is_being_issued',
    query: `select orders.id as subject, orders.secured_fen as stored, orders.issued_fen as posted from orders
      where orders.state in ('funded', 'issuing') and orders.id not in ${namedByJobs('order', 'order.issue')}`,
  },
  {
    rule: 'an_open_batch_is_being_sent',
    unit: 'heads',
    query: `select delivery_batch.id as subject, delivery_batch.people as stored, 0 as posted from delivery_batch
      where delivery_batch.state = 'planned' and delivery_batch.id not in ${namedByJobs('deliveryBatch', 'batch.send')}`,
  },
  {
    rule: 'a_notification_is_being_sent',
    unit: 'heads',
    query: `select notification.id as subject, 1 as stored, 0 as posted from notification
      where notification.state in ('planned', 'sending') and notification.carrier_id is null
        and notification.id not in ${namedByJobs('notification', 'notification.send')}`,
  },
  {
    rule: 'planned_messages_are_being_sent',
    unit: 'heads',
    query: `select books.subject, books.stored, 0 as posted from (select campaign.id as subject,
        campaign.order_id as order_id, count(*) as stored
      from campaign join order_item on order_item.order_id = campaign.order_id
      join card on card.order_item_id = order_item.id
      left join delivery on delivery.campaign_id = campaign.id and delivery.person_id = order_item.holder_id
      where delivery.id is null or delivery.state = 'planned' group by campaign.id, campaign.order_id) as books
      where books.subject not in ${namedByJobs('campaign', 'deliveries.send')}
        and not exists (select 1 from order_slice where order_slice.order_id = books.order_id
          and order_slice.id in ${namedByJobs('orderSlice', 'cards.deliver')})`,
  },
] as const
