create table `bill` (`id` char(17) not null, `mchid` varchar(32) not null, `kind` varchar(12) not null, `day` varchar(10) not null, `state` varchar(12) not null, `version` int not null, `line_count` int not null, `text_hash` varchar(64) null, `problem` varchar(80) null, `compared_at_ms` bigint null, `created_at_ms` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `bill` add index `bill_state_index` (`state`, `id`);
alter table `bill` add unique `bill_day_unique` (`mchid`, `kind`, `day`);
create table `bill_difference` (`id` char(17) not null, `bill_id` char(17) not null, `subject` varchar(120) not null, `kind` varchar(24) not null, `guess` varchar(24) not null, `state` varchar(8) not null, `version` int not null, `bill_row` int null, `ours_fen` bigint null, `theirs_fen` bigint null, `ref` varchar(17) null, `owner_id` char(17) null, `note_sealed` blob null, `closed_by` varchar(17) null, `closed_at_ms` bigint null, `created_at_ms` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `bill_difference` add index `bill_difference_state_index` (`state`, `id`);
alter table `bill_difference` add index `bill_difference_about_index` (`subject`, `state`);
alter table `bill_difference` add unique `bill_difference_subject_unique` (`bill_id`, `subject`, `kind`);
