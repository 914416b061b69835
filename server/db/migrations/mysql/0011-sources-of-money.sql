alter table `payment` add `combine_mchid` varchar(32) null, add `code_until_ms` bigint null;
alter table `statement_line` add `direction` varchar(4) not null default 'in', add `source` varchar(16) not null default 'bank', add `mchid` varchar(32) null, add `payer_index` varchar(64) null, add `matched_by` varchar(16) null, add `ref` varchar(17) null, add `reason_sealed` blob null, add `decided_at_ms` bigint null;
alter table `statement_line` add index `statement_line_payer_index` (`payer_index`, `outcome`);
