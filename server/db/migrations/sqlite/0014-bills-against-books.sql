create table `bill` (`id` char(17) not null primary key, `mchid` text not null, `kind` text not null, `day` text not null, `state` text not null, `version` integer not null, `line_count` integer not null, `text_hash` text null, `problem` text null, `compared_at_ms` bigint null, `created_at_ms` bigint not null);
create index `bill_state_index` on `bill` (`state`, `id`);
create unique index `bill_day_unique` on `bill` (`mchid`, `kind`, `day`);
create table `bill_difference` (`id` char(17) not null primary key, `bill_id` char(17) not null, `subject` text not null, `kind` text not null, `guess` text not null, `state` text not null, `version` integer not null, `bill_row` integer null, `ours_fen` bigint null, `theirs_fen` bigint null, `ref` text null, `owner_id` char(17) null, `note_sealed` blob null, `closed_by` text null, `closed_at_ms` bigint null, `created_at_ms` bigint not null);
create index `bill_difference_state_index` on `bill_difference` (`state`, `id`);
create index `bill_difference_about_index` on `bill_difference` (`subject`, `state`);
create unique index `bill_difference_subject_unique` on `bill_difference` (`bill_id`, `subject`, `kind`);
