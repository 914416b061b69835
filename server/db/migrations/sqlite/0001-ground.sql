create table `counter` (`name` text not null primary key, `next` bigint not null);

create table `entry` (`id` char(17) not null primary key, `kind` text not null, `ref` text not null, `corrects_id` char(17) null, `at_ms` bigint not null);
create index `entry_ref_index` on `entry` (`ref`);

create table `job` (`id` char(17) not null primary key, `kind` text not null, `job_key` text not null, `lane` text not null, `args` text not null, `state` text not null, `attempts` integer not null, `ready_at_ms` bigint not null, `lease_token` text null, `lease_until_ms` bigint null, `last_error` text null, `created_at_ms` bigint not null, `done_at_ms` bigint null);
create unique index `job_job_key_unique` on `job` (`job_key`);
create index `job_ready_index` on `job` (`state`, `lane`, `ready_at_ms`);
create index `job_lease_index` on `job` (`lease_token`);

create table `once_key` (`scope` text not null, `once_key` text not null, `token` text not null, `input_hash` text not null, `input` text not null, `answer` text null, `at_ms` bigint not null, primary key (`scope`, `once_key`));

create table `posting` (`entry_id` char(17) not null, `line` integer not null, `unit` text not null, `account` text not null, `amount` bigint not null, primary key (`entry_id`, `line`));
create index `posting_account_index` on `posting` (`unit`, `account`);

create table `trail` (`id` char(17) not null primary key, `object_id` text not null, `act` text not null, `from_state` text null, `to_state` text null, `actor` text not null, `note` text null, `at_ms` bigint not null);
create index `trail_object_index` on `trail` (`object_id`, `id`);

create table `worker` (`number` integer not null primary key, `token` text not null, `lease_until_ms` bigint not null);
