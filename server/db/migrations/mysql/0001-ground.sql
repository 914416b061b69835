create table `counter` (`name` varchar(80) not null, `next` bigint not null, primary key (`name`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;

create table `entry` (`id` char(17) not null, `kind` varchar(64) not null, `ref` varchar(40) not null, `corrects_id` char(17) null, `at_ms` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `entry` add index `entry_ref_index` (`ref`);

create table `job` (`id` char(17) not null, `kind` varchar(64) not null, `job_key` varchar(120) not null, `lane` varchar(8) not null, `args` text not null, `state` varchar(8) not null, `attempts` int not null, `ready_at_ms` bigint not null, `lease_token` varchar(32) null, `lease_until_ms` bigint null, `last_error` text null, `created_at_ms` bigint not null, `done_at_ms` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `job` add unique `job_job_key_unique` (`job_key`);
alter table `job` add index `job_ready_index` (`state`, `lane`, `ready_at_ms`);
alter table `job` add index `job_lease_index` (`lease_token`);

create table `once_key` (`scope` varchar(100) not null, `once_key` varchar(100) not null, `token` varchar(32) not null, `input_hash` varchar(64) not null, `input` text not null, `answer` text null, `at_ms` bigint not null, primary key (`scope`, `once_key`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;

create table `posting` (`entry_id` char(17) not null, `line` int unsigned not null, `unit` varchar(8) not null, `account` varchar(120) not null, `amount` bigint not null, primary key (`entry_id`, `line`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `posting` add index `posting_account_index` (`unit`, `account`);

create table `trail` (`id` char(17) not null, `object_id` varchar(17) not null, `act` varchar(64) not null, `from_state` varchar(32) null, `to_state` varchar(32) null, `actor` varchar(40) not null, `note` varchar(200) null, `at_ms` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `trail` add index `trail_object_index` (`object_id`, `id`);

create table `worker` (`number` int unsigned not null, `token` varchar(32) not null, `lease_until_ms` bigint not null, primary key (`number`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
