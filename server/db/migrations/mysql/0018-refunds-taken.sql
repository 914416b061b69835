alter table `refund_part` add `taken_at_ms` bigint null;
