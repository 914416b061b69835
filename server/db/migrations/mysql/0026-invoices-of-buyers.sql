alter table `invoice` modify `company_id` char(17) null;
