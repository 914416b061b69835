create table `webhook_turn` (`endpoint_id` char(17) not null, `token` varchar(32) not null, `until_ms` bigint not null, `queued_for_ms` bigint not null, `silent` tinyint(1) not null, primary key (`endpoint_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `redemption` add `moved_at_ms` bigint null;
alter table `redemption` add index `redemption_ref_index` (`till_id`, `ref`, `id`);
alter table `webhook_delivery` add index `webhook_delivery_state_index` (`merchant_id`, `state`, `id`);
update `redemption` set `moved_at_ms` = (select max(`at_ms`) from `redemption_movement` where `redemption_movement`.`redemption_id` = `redemption`.`id`);
