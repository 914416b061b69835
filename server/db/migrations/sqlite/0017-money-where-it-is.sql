alter table `settlement` add column `held_fen` bigint not null default '0';
alter table `split_return` add column `kept_at_ms` bigint null;
