-- Containment of jsonb is not leak-proof, so under row-level security no query may look it up here (docs/adr/0006): the index
-- cost every write of an entity, and found nothing.
drop index entities_properties;
