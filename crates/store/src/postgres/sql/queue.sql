-- A message for a mailbox. Answers 0 with {0, seq}, {1, lane, seq} (it waits) or {2, sum} and the reply (it was answered).
CREATE FUNCTION enqueue(
  me actors, p_at bigint, p_messages bigint, p_bytes_max bigint, p_lane bigint, p_bytes bigint, p_sum bigint,
  p_caller bytea, p_request bytea, p_body bytea
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome; known requests;
BEGIN
  r.me := me;
  IF me.actor IS NULL THEN
    r.ans := ROW(1, NULL, NULL);
    RETURN r;
  END IF;
  IF p_request IS NOT NULL THEN
    SELECT * INTO known FROM requests q WHERE q.actor = me.actor AND q.caller = p_caller AND q.request = p_request;
    IF FOUND THEN
      r.ans := CASE WHEN known.at IS NULL THEN ROW(0, ARRAY[1, known.lane, known.seq], NULL)::answer
        ELSE ROW(0, ARRAY[2, known.sum], known.reply)::answer END;
      RETURN r;
    END IF;
  END IF;
  r.ans := no_room(me, p_bytes, p_messages, p_bytes_max);
  IF (r.ans).code <> 0 THEN
    RETURN r;
  END IF;
  me.seq := me.seq + 1;
  me.queued := me.queued + 1;
  me.queued_bytes := me.queued_bytes + p_bytes;
  INSERT INTO mailbox VALUES (me.actor, p_lane, me.seq, p_at, 0, p_bytes, p_caller, p_request, p_sum, p_body);
  IF p_request IS NOT NULL THEN
    INSERT INTO requests VALUES (me.actor, p_caller, p_request, p_lane, me.seq, NULL, 0, NULL, NULL);
  END IF;
  r.me := me;
  r.ans := ROW(0, ARRAY[0, me.seq], NULL);
  RETURN r;
END $$;

-- 0 if a mailbox has room for a message, otherwise 7 with {0: messages or 1: bytes, what it would hold}.
CREATE FUNCTION no_room(me actors, p_bytes bigint, p_messages bigint, p_bytes_max bigint) RETURNS answer
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN me.queued >= p_messages THEN ROW(7, ARRAY[0, me.queued + 1], NULL)::answer
    WHEN me.queued_bytes > p_bytes_max - p_bytes THEN ROW(7, ARRAY[1, me.queued_bytes + p_bytes], NULL)::answer
    ELSE ROW(0, NULL, NULL)::answer END
$$;

-- Remembers the reply to a request. Answers what it adds to the replies and to their bytes.
CREATE FUNCTION remember(
  p_actor bigint, p_caller bytea, p_request bytea, p_at bigint, p_sum bigint, p_reply bytea
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  old bigint;
  size bigint := octet_length(p_caller) + octet_length(p_request) + coalesce(octet_length(p_reply), 0) + @OVERHEAD@;
BEGIN
  SELECT q.bytes INTO old FROM requests q
    WHERE q.actor = p_actor AND q.caller = p_caller AND q.request = p_request AND q.at IS NOT NULL;
  INSERT INTO requests VALUES (p_actor, p_caller, p_request, NULL, NULL, p_at, size, p_sum, p_reply)
    ON CONFLICT (actor, caller, request) DO UPDATE
    SET lane = NULL, seq = NULL, at = p_at, bytes = size, sum = p_sum, reply = p_reply;
  RETURN ARRAY[CASE WHEN old IS NULL THEN 1 ELSE 0 END, size - coalesce(old, 0)];
END $$;

-- Forgets replies: up to `p_max` from before `p_limit`, and then the oldest while all have more than `p_bytes_max`, of
-- which `p_pending` are not counted yet. Answers how many went, and their bytes. What another node is working at is passed over.
CREATE FUNCTION forget(p_limit bigint, p_max bigint, p_bytes_max bigint, p_pending bigint) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE gone bigint; gone_bytes bigint; excess bigint; step bigint; step_bytes bigint;
BEGIN
  WITH old AS (
    SELECT actor, caller, request FROM requests WHERE at < p_limit ORDER BY at LIMIT p_max FOR UPDATE SKIP LOCKED
  ), went AS (
    DELETE FROM requests q USING old WHERE q.actor = old.actor AND q.caller = old.caller AND q.request = old.request
    RETURNING q.bytes
  ) SELECT count(*), coalesce(sum(bytes), 0) INTO gone, gone_bytes FROM went;
  SELECT sum(reply_bytes) + p_pending - gone_bytes - p_bytes_max INTO excess FROM writers;
  WHILE excess > 0 LOOP
    WITH old AS (
      SELECT actor, caller, request, at, bytes FROM requests WHERE at IS NOT NULL
      ORDER BY at, actor, caller, request LIMIT 64 FOR UPDATE SKIP LOCKED
    ), due AS (
      SELECT actor, caller, request, sum(bytes) OVER (ORDER BY at, actor, caller, request) - bytes AS before FROM old
    ), went AS (
      DELETE FROM requests q USING due WHERE due.before < excess
        AND q.actor = due.actor AND q.caller = due.caller AND q.request = due.request
      RETURNING q.bytes
    ) SELECT count(*), coalesce(sum(bytes), 0) INTO step, step_bytes FROM went;
    EXIT WHEN step = 0;
    gone := gone + step;
    gone_bytes := gone_bytes + step_bytes;
    excess := excess - step_bytes;
  END LOOP;
  RETURN ARRAY[gone, gone_bytes];
END $$;
