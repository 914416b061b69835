create table `funnel_visit` (`day` varchar(10) not null, `channel` varchar(8) not null, `step` varchar(8) not null, `visitor_index` varchar(64) not null, primary key (`day`, `channel`, `step`, `visitor_index`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
alter table `store_order` add index `store_order_day_index` (`created_at_ms`);
