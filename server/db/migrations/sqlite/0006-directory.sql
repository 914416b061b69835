alter table `directory_member` add column `seen_departments` text not null default '';
create index `directory_member_sync_index` on `directory_member` (`company_id`, `sync_id`, `id`);
create index `directory_change_member_index` on `directory_change` (`member_id`, `state`);
create index `delivery_person_index` on `delivery` (`person_id`);
alter table `person` add column `listed_user_id_index` text null;
alter table `person` drop column `misses`;
alter table `person` drop column `missed_at_ms`;
create index `person_listed_user_id_index` on `person` (`company_id`, `listed_user_id_index`);
