-- A commit: its head at `i`, its parts behind it, checked first and then made. Answers 0 with {id of the first
-- outgoing message or 0, what the actor keeps}, or the rule that refused it, with the number of the part.
CREATE FUNCTION commit_parts(
  me actors, p_writer bigint, p_keep bigint[], p_seen bigint, p_out bigint, i bigint,
  k bigint[], n1 bigint[], n2 bigint[], n3 bigint[], n4 bigint[], n5 bigint[], n6 bigint[],
  b1 bytea[], b2 bytea[], b3 bytea[]
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome; refused answer;
BEGIN
  r.me := me;
  IF me.actor IS NULL THEN
    r.ans := ROW(1, NULL, NULL);
  ELSIF me.epoch <> n3[i] THEN
    r.ans := ROW(3, ARRAY[me.epoch], NULL);
  ELSIF me.revision + 1 <> n4[i] THEN
    r.ans := ROW(4, ARRAY[me.revision], NULL);
  ELSE
    r := check_parts(me, i, i + n6[i], k, n1, n2, n3, n4, n5, b1, b2);
    IF (r.ans).code = 0 THEN
      r := make_parts(r.me, p_writer, p_keep, p_seen, p_out, i, i + n6[i], k, n1, n2, n3, b1, b2, b3);
    ELSE
      r.me := me;
    END IF;
  END IF;
  RETURN r;
END $$;

-- What the actor would keep, if nothing stands against the parts.
CREATE FUNCTION check_parts(
  me actors, p_first bigint, p_last bigint, k bigint[], n1 bigint[], n2 bigint[], n3 bigint[], n4 bigint[], n5 bigint[],
  b1 bytea[], b2 bytea[]
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE
  was actors := me;
  r outcome;
  wrong bigint; -- the rule that refuses
  size bigint; version bigint;
BEGIN
  FOR s IN p_first + 1 .. p_last LOOP
    CASE
    WHEN k[s] IN (20, 21, 22) THEN
      SELECT m.bytes INTO size FROM mailbox m WHERE m.actor = me.actor AND m.lane = n1[s] AND m.seq = n2[s];
      IF NOT FOUND THEN
        wrong := 8;
      ELSIF k[s] <> 21 THEN
        me.queued := me.queued - 1;
        me.queued_bytes := me.queued_bytes - size;
      END IF;
    WHEN k[s] = 23 THEN
      PERFORM 1 FROM timers t WHERE t.actor = me.actor AND t.name = b1[s] AND t.due = n1[s];
      IF NOT FOUND THEN
        wrong := 9;
      END IF;
      me.timers := me.timers - 1;
    WHEN k[s] = 30 THEN
      SELECT f.version, octet_length(f.value) INTO version, size FROM state f WHERE f.actor = me.actor AND f.key = b1[s];
      IF n1[s] <> -1 AND coalesce(version, -2) <> n1[s] THEN
        r.me := was;
        r.ans := ROW(5, ARRAY[s - p_first, coalesce(version, -1)], NULL);
        RETURN r;
      END IF;
      IF version IS NOT NULL THEN
        me.state_keys := me.state_keys - 1;
        me.state_bytes := me.state_bytes - octet_length(b1[s]) - size;
      END IF;
      IF b2[s] IS NOT NULL THEN
        me.state_keys := me.state_keys + 1;
        me.state_bytes := me.state_bytes + octet_length(b1[s]) + octet_length(b2[s]);
      END IF;
    WHEN k[s] IN (40, 41) THEN
      IF n2[s] = 0 AND EXISTS (SELECT FROM timers t WHERE t.actor = me.actor AND t.name = b1[s]) THEN
        me.timers := me.timers - 1;
      END IF;
      me.timers := me.timers + 41 - k[s];
    WHEN k[s] IN (50, 51, 52) THEN
      IF EXISTS (SELECT FROM sealed_keys f WHERE f.actor = me.actor AND f.name = b1[s]) THEN
        me.sealed_keys := me.sealed_keys - 1;
        IF k[s] = 50 THEN
          wrong := 11;
        END IF;
      END IF;
      IF k[s] <> 52 THEN
        me.sealed_keys := me.sealed_keys + 1;
      END IF;
    WHEN k[s] = 60 THEN
      me.outbox := me.outbox + 1;
    WHEN k[s] = 70 THEN
      r.ans := over_quota(was, me, ARRAY[n1[s], n2[s], n3[s], n4[s], n5[s]]);
      IF (r.ans).code <> 0 THEN
        r.me := was;
        RETURN r;
      END IF;
    ELSE
      NULL;
    END CASE;
    IF wrong IS NOT NULL THEN
      r.me := was;
      r.ans := ROW(wrong, ARRAY[s - p_first], NULL);
      RETURN r;
    END IF;
  END LOOP;
  r.me := me;
  r.ans := ROW(0, NULL, NULL);
  RETURN r;
END $$;

-- 0, or 6 with {which, what it would be} if more than the quota would be kept, unless it is less than it was.
CREATE FUNCTION over_quota(was actors, me actors, quota bigint[]) RETURNS answer LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN me.state_keys > quota[1] AND me.state_keys > was.state_keys THEN ROW(6, ARRAY[0, me.state_keys], NULL)::answer
    WHEN me.state_bytes > quota[2] AND me.state_bytes > was.state_bytes THEN ROW(6, ARRAY[1, me.state_bytes], NULL)::answer
    WHEN me.timers > quota[3] AND me.timers > was.timers THEN ROW(6, ARRAY[2, me.timers], NULL)::answer
    WHEN me.outbox > quota[4] AND me.outbox > was.outbox THEN ROW(6, ARRAY[3, me.outbox], NULL)::answer
    WHEN me.sealed_keys > quota[5] AND me.sealed_keys > was.sealed_keys THEN ROW(6, ARRAY[4, me.sealed_keys], NULL)::answer
    ELSE ROW(0, NULL, NULL)::answer END
$$;

-- Makes what was checked. Only the disk can fail this.
CREATE FUNCTION make_parts(
  me actors, p_writer bigint, p_keep bigint[], p_seen bigint, p_out bigint, p_first bigint, p_last bigint,
  k bigint[], n1 bigint[], n2 bigint[], n3 bigint[], b1 bytea[], b2 bytea[], b3 bytea[]
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome; m mailbox; added bigint[];
BEGIN
  me.revision := me.revision + 1;
  r.me := me;
  r.replies := 0;
  r.reply_bytes := 0;
  r.outs := 0;
  FOR s IN p_first + 1 .. p_last LOOP
    added := NULL;
    CASE k[s]
    WHEN 20, 22 THEN
      DELETE FROM mailbox q WHERE q.actor = me.actor AND q.lane = n1[s] AND q.seq = n2[s] RETURNING * INTO m;
      IF k[s] = 22 THEN
        PERFORM post_letter(p_writer, p_keep, me.actor, n2[p_first], b2[s], m.attempts + 1, m.lane, m.bytes, m.caller,
          m.request, m.sum, m.body);
      END IF;
      IF m.request IS NOT NULL THEN
        added := remember(me.actor, m.caller, m.request, p_seen, n3[s], b1[s]);
      END IF;
    WHEN 21 THEN
      UPDATE mailbox q SET attempts = attempts + 1 WHERE q.actor = me.actor AND q.lane = n1[s] AND q.seq = n2[s];
    WHEN 23, 41 THEN
      DELETE FROM timers t WHERE t.actor = me.actor AND t.name = b1[s];
    WHEN 30 THEN
      IF b2[s] IS NULL THEN
        DELETE FROM state f WHERE f.actor = me.actor AND f.key = b1[s];
      ELSE
        INSERT INTO state VALUES (me.actor, b1[s], me.revision, n2[s], b2[s])
          ON CONFLICT (actor, key) DO UPDATE SET version = EXCLUDED.version, sum = EXCLUDED.sum, value = EXCLUDED.value;
      END IF;
    WHEN 40 THEN
      INSERT INTO timers VALUES (me.actor, b1[s], n1[s], n3[s], b2[s])
        ON CONFLICT (actor, name) DO UPDATE SET due = EXCLUDED.due, sum = EXCLUDED.sum, body = EXCLUDED.body;
    WHEN 50, 51 THEN
      INSERT INTO sealed_keys VALUES (me.actor, b1[s], n1[s], b2[s])
        ON CONFLICT (actor, name) DO UPDATE SET sum = EXCLUDED.sum, blob = EXCLUDED.blob;
    WHEN 52 THEN
      DELETE FROM sealed_keys f WHERE f.actor = me.actor AND f.name = b1[s];
    WHEN 60 THEN
      r.outs := r.outs + 1;
      INSERT INTO outbox VALUES (p_out + r.outs, me.actor, 0, n1[s], n2[s], n3[s], b1[s]);
    WHEN 71 THEN
      added := remember(me.actor, b1[s], b2[s], p_seen, n1[s], b3[s]);
    ELSE
      NULL;
    END CASE;
    IF added IS NOT NULL THEN
      r.replies := r.replies + added[1];
      r.reply_bytes := r.reply_bytes + added[2];
    END IF;
  END LOOP;
  r.ans := ROW(0, CASE WHEN r.outs > 0 THEN p_out + 1 ELSE 0 END || usage_of(me), NULL);
  RETURN r;
END $$;
