alter table `directory_member` add `seen_departments` varchar(1000) not null default '';
alter table `directory_member` add index `directory_member_sync_index` (`company_id`, `sync_id`, `id`);
alter table `directory_change` add index `directory_change_member_index` (`member_id`, `state`);
alter table `delivery` add index `delivery_person_index` (`person_id`);
alter table `person` add `listed_user_id_index` varchar(64) null, drop column `misses`, drop column `missed_at_ms`;
alter table `person` add index `person_listed_user_id_index` (`company_id`, `listed_user_id_index`);
