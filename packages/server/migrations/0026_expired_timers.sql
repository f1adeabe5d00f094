-- The last value of each timer that has expired, so that a property which is made a timer once more does not expire of it again.
create table expired_timers (
  org_id text not null,
  entity_row bigint not null,
  property text not null,
  instant timestamptz not null,
  primary key (org_id, entity_row, property),
  foreign key (org_id, entity_row) references entities (org_id, id) on delete cascade
);
select quayside_protect('expired_timers');
