create table `invoice` (`id` char(17) not null primary key, `company_id` char(17) not null, `order_id` char(17) not null, `kind` text not null, `state` text not null, `version` integer not null, `amount_fen` bigint not null, `buyer_sealed` blob not null, `body_sealed` mediumblob null, `calls` integer not null, `provider_number` text null, `issued_on` text null, `reason` text null, `red_number` text null, `red_calls` integer not null, `red_provider_number` text null, `red_on` text null, `reversed_for` text null, `reissue_of` char(17) null, `requested_by` text not null, `requested_at_ms` bigint not null, `issued_at_ms` bigint null, `reversed_at_ms` bigint null, constraint `invoice_amount_positive` check (amount_fen > 0));
create unique index `invoice_red_number_unique` on `invoice` (`red_number`);
create unique index `invoice_reissue_of_unique` on `invoice` (`reissue_of`);
create index `invoice_order_index` on `invoice` (`order_id`, `state`);
create index `invoice_company_index` on `invoice` (`company_id`, `id`);
create table `invoice_line` (`id` char(17) not null primary key, `invoice_id` char(17) not null, `seq` integer not null, `department` text not null, `amount_fen` bigint not null, constraint `invoice_line_positive` check (amount_fen > 0));
create unique index `invoice_line_seq_unique` on `invoice_line` (`invoice_id`, `seq`);
