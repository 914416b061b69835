create table `funnel_visit` (`day` text not null, `channel` text not null, `step` text not null, `visitor_index` text not null, primary key (`day`, `channel`, `step`, `visitor_index`));
create index `store_order_day_index` on `store_order` (`created_at_ms`);
