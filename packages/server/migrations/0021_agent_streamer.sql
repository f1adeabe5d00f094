-- KAFKA or POLLING: where the agent gets its runs, as it says in each claim. Null = it never said.
alter table agents add column streamer text;
