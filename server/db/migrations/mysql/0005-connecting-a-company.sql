alter table `wecom_connection` add `authorised_at_ms` bigint null;
alter table `wecom_connection` add `callback_seen_at_ms` bigint null;
alter table `wecom_connection` add index `wecom_connection_suite_index` (`suite_id`, `state`);
alter table `wecom_event` add index `wecom_event_suite_index` (`suite_id`, `kind`);
