-- What others hold of what a group needs, as {0, actor}, {1, message of the outbox}, {2, letter}, {3, step that opens an
-- actor}, or {4, bit of `p_wants`}.
CREATE FUNCTION locked(
  p_actors bigint[], p_outs bigint[], p_letters bigint[], p_wants bigint,
  k bigint[], n1 bigint[], b1 bytea[], b2 bytea[], b3 bytea[]
) RETURNS TABLE (kind bigint, id bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE place bigint := 'actors'::regclass::oid::bigint << 8;
BEGIN
  RETURN QUERY WITH named AS (
    SELECT 0::bigint AS kind, u AS id, u AS actor FROM unnest(p_actors) u
    UNION ALL SELECT 1, o.id, o.actor FROM outbox o WHERE o.id = ANY(p_outs)
    UNION ALL SELECT 2, l.id, l.actor FROM letters l WHERE l.id = ANY(p_letters)
    UNION ALL SELECT 3, s.place, a.actor FROM unnest(k, n1, b1, b2, b3) WITH ORDINALITY s(k, n1, b1, b2, b3, place)
      JOIN actors a ON a.realm = s.n1 AND a.manufacturer = s.b1 AND a.type_name = s.b2 AND a.instance = s.b3 WHERE s.k = 3
  ), free AS (
    SELECT a.actor FROM actors a WHERE a.actor IN (SELECT actor FROM named) ORDER BY a.actor FOR UPDATE SKIP LOCKED
  ) SELECT n.kind, n.id FROM named n JOIN actors a ON a.actor = n.actor WHERE n.actor NOT IN (SELECT actor FROM free);
  IF p_wants & 1 <> 0 AND NOT pg_try_advisory_xact_lock(place | 1) THEN
    RETURN QUERY SELECT 4::bigint, 1::bigint;
  END IF;
  IF p_wants & 2 <> 0 AND NOT pg_try_advisory_xact_lock(place | 2) THEN
    RETURN QUERY SELECT 4::bigint, 2::bigint;
  END IF;
  IF p_wants & 4 <> 0 THEN
    PERFORM 1 FROM outbox_end FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      RETURN QUERY SELECT 4::bigint, 4::bigint;
    END IF;
  END IF;
END $$;
