alter table `refund_part` add column `taken_at_ms` bigint null;
