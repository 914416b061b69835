create table `brand_terms` (`id` char(17) not null, `brand_id` char(17) not null, `number` int not null, `collector` varchar(8) not null, `platform_bp` int not null, `channels` text not null, `max_ratio_bp` int not null, `hold_ms` bigint not null, `wallet_credit` tinyint(1) not null, `created_by` varchar(17) not null, `created_at_ms` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `brand_terms` add unique `brand_terms_number_unique` (`brand_id`, `number`);
alter table `orders` add `refunded_fen` bigint not null default '0', add `returned_fen` bigint not null default '0';
alter table `payment` add `product` varchar(8) null, add `combine_no` varchar(32) null, add `request_sealed` blob null, add `refunded_fen` bigint not null default '0', add `in_flight` varchar(8) null, add `in_flight_ref` varchar(17) null, add `refunds_waiting` int not null default 0;
alter table `payment` add index `payment_combine_index` (`combine_no`);
alter table `payment_part` add `refunded_fen` bigint not null default '0';
alter table `payment_part` add constraint `payment_part_refund_within` check (refunded_fen >= 0 and refunded_fen <= amount_fen);
