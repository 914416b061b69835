create table `webhook_turn` (`endpoint_id` char(17) not null primary key, `token` text not null, `until_ms` bigint not null, `queued_for_ms` bigint not null, `silent` integer not null);
alter table `redemption` add column `moved_at_ms` bigint null;
create index `redemption_ref_index` on `redemption` (`till_id`, `ref`, `id`);
create index `webhook_delivery_state_index` on `webhook_delivery` (`merchant_id`, `state`, `id`);
update `redemption` set `moved_at_ms` = (select max(`at_ms`) from `redemption_movement` where `redemption_movement`.`redemption_id` = `redemption`.`id`);
