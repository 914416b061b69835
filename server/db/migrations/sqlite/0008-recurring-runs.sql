alter table `recurring` add column `next_day` text null;
