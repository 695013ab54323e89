-- As `apply`, and delivers messages of the outbox: step 7, with their ids in a step 80 behind it. The time is that of the last step,
-- so that a clock that jumped ahead and was put right forgets no more replies. Stores hear of what others put into the mailboxes of their actors.
-- One group of writes in one transaction, in their order; each answers for itself, and one that is refused changes nothing.
-- The steps stand in arrays: kind, numbers, bytes. `p_actors` are the actors that they name, by their place in it.
-- `p_wants`: 1 opens actors, 2 writes notes, 4 posts to the outbox.
CREATE FUNCTION apply_2(
  p_writer bigint, p_incarnation bigint, p_group bigint, p_sync text, p_keep bigint[],
  p_actors bigint[], p_outs bigint[], p_letters bigint[], p_wants bigint,
  k bigint[], n1 bigint[], n2 bigint[], n3 bigint[], n4 bigint[], n5 bigint[], n6 bigint[],
  b1 bytea[], b2 bytea[], b3 bytea[], b4 bytea[]
) RETURNS answer[] LANGUAGE plpgsql AS $$
<<here>>
DECLARE
  w writers;
  keys bigint[];
  me actors[];
  out_last bigint;
  answers answer[] := '{}';
  r outcome;
  slot bigint;
  went bigint;
  gone bigint[] := '{0,0}';
  i bigint := 1;
  replies bigint := 0;
  reply_bytes bigint := 0;
  arrived bigint[] := '{}';
BEGIN
  PERFORM set_config('synchronous_commit', p_sync, true);
  IF p_sync = 'on' AND current_setting('synchronous_standby_names') = '' THEN
    RAISE EXCEPTION 'synchronous replication is switched off' USING ERRCODE = 'PH002';
  END IF;
  SELECT * INTO w FROM writers WHERE id = p_writer FOR UPDATE;
  IF w.incarnation IS DISTINCT FROM p_incarnation OR w.last_group IS DISTINCT FROM p_group - 1 THEN
    RAISE EXCEPTION 'writer % is at %.%, not before %.%', p_writer, w.incarnation, w.last_group, p_incarnation, p_group
      USING ERRCODE = 'PH001';
  END IF;
  keys := lock_keys(p_actors, p_outs, p_letters, p_wants, k, n1, b1, b2, b3);
  me := ARRAY(SELECT a FROM unnest(keys) WITH ORDINALITY u(key, place) LEFT JOIN actors a ON a.actor = u.key ORDER BY place);
  IF p_wants & 4 <> 0 THEN
    SELECT last INTO out_last FROM outbox_end FOR UPDATE;
  END IF;

  WHILE i <= cardinality(k) LOOP
    r := NULL;
    slot := n1[i];
    IF k[i] < 10 THEN
      w.seen_ms := n2[i];
    END IF;
    CASE k[i]
    WHEN 1 THEN
      r := enqueue_2(me[slot], n2[i], n3[i], n4[i], n5[i] & 1, n5[i] >> 1, n6[i], b1[i], b2[i], b3[i]);
      IF (r.me).writer <> p_writer THEN
        arrived := arrived || strange(r);
      END IF;
    WHEN 2 THEN
      r := commit_parts(me[slot], p_writer, p_keep, w.seen_ms, out_last, i, k, n1, n2, n3, n4, n5, n6, b1, b2, b3);
    WHEN 3 THEN
      SELECT array_position(keys, actor) INTO slot FROM actors
        WHERE realm = n1[i] AND manufacturer = b1[i] AND type_name = b2[i] AND instance = b3[i];
      r := open_actor(me[slot], n1[i], b1[i], b2[i], b3[i], b4[i], n2[i], n3[i]);
      IF (r.ans).code = 0 AND (r.me).writer <> p_writer THEN
        DELETE FROM arrivals WHERE writer = (r.me).writer AND actor = (r.me).actor;
        r.me.writer := p_writer;
      END IF;
      IF slot IS NULL THEN
        slot := coalesce(array_position(keys, (r.me).actor), cardinality(keys) + 1);
        keys[slot] := (r.me).actor;
      END IF;
    WHEN 4 THEN
      r.ans := ROW(1, NULL, NULL);
      IF me[slot].actor IS NOT NULL THEN
        r.ans := ROW(0, ARRAY[post_letter(p_writer, p_keep, me[slot].actor, n2[i], b4[i], n3[i], n5[i] & 1, n5[i] >> 1,
          b1[i], b2[i], n6[i], b3[i])], NULL);
      END IF;
      slot := NULL;
    WHEN 5 THEN
      slot := (SELECT array_position(keys, actor) FROM letters WHERE id = n1[i]);
      r := retry_letter_2(me[slot], p_writer, n1[i], n2[i], n3[i], n4[i]);
      IF (r.me).writer <> p_writer THEN
        arrived := arrived || strange(r);
      END IF;
    WHEN 6 THEN
      gone := forget(w.seen_ms - p_keep[1], n1[i], p_keep[2], reply_bytes);
      replies := replies - gone[1];
      reply_bytes := reply_bytes - gone[2];
      r.ans := ROW(0, ARRAY[gone[1]], NULL);
      slot := NULL;
    WHEN 7 THEN
      r := deliver(me[slot], keys, n1[i + 1], n2[i + 1], n2[i], n3[i], n4[i], n5[i] & 1, n5[i] >> 1, n6[i], b1[i], b3[i]);
      IF (r.me).writer <> p_writer THEN
        arrived := arrived || strange(r);
      END IF;
      me[slot] := r.me;
      -- Its sender, who may be its receiver.
      slot := array_position(keys, (r.ans).n[3]);
      IF slot IS NOT NULL THEN
        me[slot].outbox := me[slot].outbox - 1;
        r.me := me[slot];
      END IF;
    WHEN 10 THEN
      r := extend(me[slot], n2[i], n3[i]);
    WHEN 11 THEN
      FOR slot, went IN
        WITH g AS (DELETE FROM outbox WHERE id = ANY(p_outs[n1[i]:n2[i]]) AND actor = ANY(keys) RETURNING actor)
        SELECT array_position(keys, actor), count(*) FROM g GROUP BY actor
      LOOP
        me[slot].outbox := me[slot].outbox - went;
      END LOOP;
      r.ans := ROW(0, NULL, NULL);
      slot := NULL;
    ELSE
      r.ans := apart(p_writer, me[CASE WHEN k[i] = 14 THEN slot END].actor, k[i], n1[i], n2[i], n3[i], b1[i], b2[i], b3[i]);
      slot := NULL;
    END CASE;
    IF slot IS NOT NULL THEN
      me[slot] := r.me;
    END IF;
    answers := answers || r.ans;
    replies := replies + coalesce(r.replies, 0);
    reply_bytes := reply_bytes + coalesce(r.reply_bytes, 0);
    out_last := out_last + coalesce(r.outs, 0);
    i := i + 1 + CASE k[i] WHEN 2 THEN n6[i] WHEN 7 THEN 1 ELSE 0 END;
  END LOOP;

  IF replies > 0 OR reply_bytes > 0 THEN
    gone := forget(w.seen_ms - p_keep[1], 128, p_keep[2], reply_bytes);
    replies := replies - gone[1];
    reply_bytes := reply_bytes - gone[2];
  END IF;
  PERFORM write_back_2(me);
  IF cardinality(arrived) > 0 THEN
    PERFORM tell_owners(me, arrived);
  END IF;
  IF p_wants & 4 <> 0 THEN
    UPDATE outbox_end SET last = out_last;
  END IF;
  UPDATE writers t SET last_group = p_group, answers = here.answers, seen_ms = w.seen_ms, used = clock_timestamp(),
    replies = t.replies + here.replies, reply_bytes = t.reply_bytes + here.reply_bytes WHERE t.id = p_writer;
  RETURN answers;
END $$;
