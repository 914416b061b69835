create table `books_proof` (`id` char(17) not null primary key, `findings` integer not null, `at_ms` bigint not null);
