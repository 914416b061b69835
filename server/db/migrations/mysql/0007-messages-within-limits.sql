alter table `card` add index `card_expiry_index` (`expires_at_ms`);
alter table `delivery` add index `delivery_waits_index` (`campaign_id`, `waits_until_ms`, `waits_for`);
alter table `delivery_batch` add `last_call_at_ms` bigint null, add `recall_state` varchar(12) null;
alter table `notification` add `carrier_id` char(17) null, add `last_call_at_ms` bigint null;
alter table `notification` drop index `notification_receiver_index`;
alter table `notification` add index `notification_receiver_index` (`company_id`, `receiver_id`, `kind`, `created_at_ms`);
alter table `notification` add index `notification_carrier_index` (`carrier_id`);
alter table `send_day` add `quota` int not null default 0;
