create table `cover` (`id` char(17) not null, `buyer_id` char(17) not null, `state` varchar(12) not null, `version` int not null, `picture_sealed` mediumblob null, `created_at_ms` bigint not null, `decided_at_ms` bigint null, `used_at_ms` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `cover` add index `cover_state_index` (`state`, `id`);
alter table `cover` add index `cover_buyer_index` (`buyer_id`, `created_at_ms`);
