alter table `wecom_connection` add column `authorised_at_ms` bigint null;
alter table `wecom_connection` add column `callback_seen_at_ms` bigint null;
create index `wecom_connection_suite_index` on `wecom_connection` (`suite_id`, `state`);
create index `wecom_event_suite_index` on `wecom_event` (`suite_id`, `kind`);
