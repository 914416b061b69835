create table `books_proof` (`id` char(17) not null, `findings` int not null, `at_ms` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB;
