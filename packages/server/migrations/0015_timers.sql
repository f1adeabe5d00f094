-- Timers: what an event says about one property of its entity (entity.timer_expired).
-- When a timer is due stands in `work` (queue `timers`, key `timer:<row of the entity>:<property>`), written with the entity.
alter table events add column property text;
