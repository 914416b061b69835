alter table `settlement` add `held_fen` bigint not null default '0';
alter table `split_return` add `kept_at_ms` bigint null;
