-- Which store has opened an actor; 0 is not known.
ALTER TABLE actors ADD COLUMN writer bigint NOT NULL DEFAULT 0;

-- Actors whose mailboxes got something by another store than the one that has opened them, up to which message. That store
-- looks, and takes out what it has seen; or whoever opens the actor next.
CREATE TABLE arrivals (writer bigint, actor bigint, seq bigint NOT NULL, PRIMARY KEY (writer, actor));

-- The actor of a message, if some store has opened it, and the message was taken and is no repetition.
CREATE FUNCTION strange(r outcome) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN (r.ans).code = 0 AND cardinality((r.ans).n) > 1 AND (r.me).writer <> 0 THEN ARRAY[(r.me).actor]
    ELSE '{}' END
$$;

-- Tells the stores that have opened them. Messages of one actor are in order, since its row is locked.
CREATE FUNCTION tell_owners(me actors[], p_arrived bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO arrivals SELECT u.writer, u.actor, u.seq FROM unnest(me) u WHERE u.actor = ANY(p_arrived)
    ON CONFLICT (writer, actor) DO UPDATE SET seq = EXCLUDED.seq
$$;

-- Takes out what a store has seen, unless more has come or is about to.
CREATE FUNCTION seen(p_writer bigint, p_actors bigint[], p_seqs bigint[]) RETURNS void LANGUAGE sql AS $$
  WITH looked AS (
    SELECT a.actor FROM arrivals a JOIN unnest(p_actors, p_seqs) u(actor, seq) ON u.actor = a.actor AND u.seq = a.seq
    WHERE a.writer = p_writer FOR UPDATE OF a SKIP LOCKED
  ) DELETE FROM arrivals a USING looked WHERE a.writer = p_writer AND a.actor = looked.actor
$$;

-- As `write_back`, with the store that has opened the actor.
CREATE FUNCTION write_back_2(me actors[]) RETURNS void LANGUAGE sql AS $$
  UPDATE actors a SET owner = u.owner, epoch = u.epoch, until = u.until, revision = u.revision, seq = u.seq,
    state_keys = u.state_keys, state_bytes = u.state_bytes, timers = u.timers, outbox = u.outbox,
    sealed_keys = u.sealed_keys, queued = u.queued, queued_bytes = u.queued_bytes, writer = u.writer
  FROM unnest(me) u WHERE a.actor = u.actor
    AND (a.owner, a.epoch, a.until, a.revision, a.seq, a.state_keys, a.state_bytes, a.timers, a.outbox, a.sealed_keys,
      a.queued, a.queued_bytes, a.writer)
    IS DISTINCT FROM (u.owner, u.epoch, u.until, u.revision, u.seq, u.state_keys, u.state_bytes, u.timers, u.outbox,
      u.sealed_keys, u.queued, u.queued_bytes, u.writer)
$$;
