create table `cover` (`id` char(17) not null primary key, `buyer_id` char(17) not null, `state` text not null, `version` integer not null, `picture_sealed` mediumblob null, `created_at_ms` bigint not null, `decided_at_ms` bigint null, `used_at_ms` bigint null);
create index `cover_state_index` on `cover` (`state`, `id`);
create index `cover_buyer_index` on `cover` (`buyer_id`, `created_at_ms`);
