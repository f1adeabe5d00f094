-- Work that only some may take: a claimer must have all of these labels. Null, as most are = everybody of the queue may.
-- Not indexed: a claim reads due rows in order and passes over what it has not the labels for.
alter table work add column labels jsonb;
