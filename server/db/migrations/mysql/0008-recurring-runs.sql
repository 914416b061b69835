alter table `recurring` add column `next_day` varchar(10) null;
