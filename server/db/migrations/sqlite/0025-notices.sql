create table `notice_grant` (`id` char(17) not null primary key, `buyer_id` char(17) not null, `kind` text not null, `state` text not null, `version` integer not null, `said_by_page` integer not null, `event_at_ms` bigint null, `message_id` char(17) null, `created_at_ms` bigint not null);
create unique index `notice_grant_message_id_unique` on `notice_grant` (`message_id`);
create index `notice_grant_buyer_index` on `notice_grant` (`buyer_id`, `kind`, `state`);
create table `notice_message` (`id` char(17) not null primary key, `buyer_id` char(17) not null, `kind` text not null, `subject` text not null, `card_id` char(17) not null, `gift_id` char(17) null, `amount_fen` bigint not null, `expires_at_ms` bigint null, `state` text not null, `version` integer not null, `held_out` integer not null, `reason` text null, `sent_id` text null, `created_at_ms` bigint not null, `read_at_ms` bigint null);
create index `notice_message_inbox_index` on `notice_message` (`buyer_id`, `id`);
create index `notice_message_sent_index` on `notice_message` (`sent_id`);
create unique index `notice_message_once` on `notice_message` (`buyer_id`, `kind`, `subject`);
