create table `notice_grant` (`id` char(17) not null, `buyer_id` char(17) not null, `kind` varchar(16) not null, `state` varchar(8) not null, `version` int not null, `said_by_page` tinyint(1) not null, `event_at_ms` bigint null, `message_id` char(17) null, `created_at_ms` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `notice_grant` add unique `notice_grant_message_id_unique` (`message_id`);
alter table `notice_grant` add index `notice_grant_buyer_index` (`buyer_id`, `kind`, `state`);
create table `notice_message` (`id` char(17) not null, `buyer_id` char(17) not null, `kind` varchar(16) not null, `subject` varchar(40) not null, `card_id` char(17) not null, `gift_id` char(17) null, `amount_fen` bigint not null, `expires_at_ms` bigint null, `state` varchar(12) not null, `version` int not null, `held_out` tinyint(1) not null, `reason` varchar(32) null, `sent_id` varchar(40) null, `created_at_ms` bigint not null, `read_at_ms` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `notice_message` add index `notice_message_inbox_index` (`buyer_id`, `id`);
alter table `notice_message` add index `notice_message_sent_index` (`sent_id`);
alter table `notice_message` add unique `notice_message_once` (`buyer_id`, `kind`, `subject`);
