-- What an actor keeps.
CREATE FUNCTION usage_of(me actors) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY[me.state_keys, me.state_bytes, me.timers, me.outbox, me.sealed_keys, me.queued, me.queued_bytes]
$$;

-- Gives the actor's epoch to whoever asks, and makes the actor if `me` is NULL. Answers 0 with the lease, or 2 with
-- {until} and the name of the owner.
CREATE FUNCTION open_actor(
  me actors, p_realm bigint, p_manufacturer bytea, p_type bytea, p_instance bytea, p_owner bytea, p_now bigint, p_until bigint
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome;
BEGIN
  IF me.actor IS NULL THEN
    INSERT INTO actors VALUES (
      nextval('actor_number'), p_realm, p_manufacturer, p_type, p_instance, p_owner, 1, p_until, 0, 0, 0, 0, 0, 0, 0, 0, 0)
      RETURNING * INTO me;
  ELSIF me.owner <> p_owner AND me.until > p_now THEN
    r.me := me;
    r.ans := ROW(2, ARRAY[me.until], me.owner);
    RETURN r;
  ELSE
    me.epoch := me.epoch + 1;
    me.until := p_until;
    me.owner := p_owner;
  END IF;
  r.me := me;
  r.ans := ROW(0, ARRAY[me.actor, me.epoch, me.until, me.revision] || usage_of(me), NULL);
  RETURN r;
END $$;

-- Changes until when a lease is. Answers 0, 1 if there is no such actor, or 3 with {epoch} if it is not that epoch's.
CREATE FUNCTION extend(me actors, p_epoch bigint, p_until bigint) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome;
BEGIN
  IF me.actor IS NULL THEN
    r.ans := ROW(1, NULL, NULL);
  ELSIF me.epoch <> p_epoch THEN
    r.ans := ROW(3, ARRAY[me.epoch], NULL);
  ELSE
    me.until := p_until;
    r.ans := ROW(0, NULL, NULL);
  END IF;
  r.me := me;
  RETURN r;
END $$;

-- After a connection broke: nothing that was sent before can happen from now on, and this is what did.
CREATE FUNCTION resume(p_writer bigint, p_sync text) RETURNS SETOF writers LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('synchronous_commit', p_sync, true);
  RETURN QUERY UPDATE writers SET incarnation = incarnation + 1, used = clock_timestamp() WHERE id = p_writer RETURNING *;
END $$;

-- Takes out writers that closed or that nobody has seen for a day, and keeps what they counted.
CREATE FUNCTION retire(p_writer bigint) RETURNS void LANGUAGE sql AS $$
  WITH gone AS (
    DELETE FROM writers WHERE id > 0 AND (id = p_writer OR used < clock_timestamp() - interval '1 day') RETURNING *
  ), total AS (
    SELECT coalesce(sum(replies), 0) AS a, coalesce(sum(reply_bytes), 0) AS b, coalesce(sum(letters), 0) AS c,
      coalesce(sum(letter_bytes), 0) AS d, coalesce(sum(letters_dropped), 0) AS e FROM gone
  ) UPDATE writers SET replies = replies + a, reply_bytes = reply_bytes + b, letters = letters + c,
    letter_bytes = letter_bytes + d, letters_dropped = letters_dropped + e FROM total WHERE id = 0
$$;
