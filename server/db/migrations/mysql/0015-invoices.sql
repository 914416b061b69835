create table `invoice` (`id` char(17) not null, `company_id` char(17) not null, `order_id` char(17) not null, `kind` varchar(12) not null, `state` varchar(12) not null, `version` int not null, `amount_fen` bigint not null, `buyer_sealed` blob not null, `body_sealed` mediumblob null, `calls` int not null, `provider_number` varchar(40) null, `issued_on` varchar(10) null, `reason` varchar(60) null, `red_number` varchar(40) null, `red_calls` int not null, `red_provider_number` varchar(40) null, `red_on` varchar(10) null, `reversed_for` varchar(12) null, `reissue_of` char(17) null, `requested_by` varchar(17) not null, `requested_at_ms` bigint not null, `issued_at_ms` bigint null, `reversed_at_ms` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `invoice` add unique `invoice_red_number_unique` (`red_number`);
alter table `invoice` add unique `invoice_reissue_of_unique` (`reissue_of`);
alter table `invoice` add index `invoice_order_index` (`order_id`, `state`);
alter table `invoice` add index `invoice_company_index` (`company_id`, `id`);
create table `invoice_line` (`id` char(17) not null, `invoice_id` char(17) not null, `seq` int not null, `department` varchar(200) not null, `amount_fen` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `invoice_line` add unique `invoice_line_seq_unique` (`invoice_id`, `seq`);
alter table `invoice` add constraint `invoice_amount_positive` check (amount_fen > 0);
alter table `invoice_line` add constraint `invoice_line_positive` check (amount_fen > 0);
