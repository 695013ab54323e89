-- As `enqueue`, but that a request that came before is {1} without its reply, whatever became of it.
CREATE FUNCTION enqueue_2(
  me actors, p_at bigint, p_messages bigint, p_bytes_max bigint, p_lane bigint, p_bytes bigint, p_sum bigint,
  p_caller bytea, p_request bytea, p_body bytea
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome;
BEGIN
  IF p_request IS NOT NULL
    AND EXISTS (SELECT FROM requests q WHERE q.actor = me.actor AND q.caller = p_caller AND q.request = p_request)
  THEN
    r.me := me;
    r.ans := ROW(0, ARRAY[1], NULL);
    RETURN r;
  END IF;
  RETURN enqueue(me, p_at, p_messages, p_bytes_max, p_lane, p_bytes, p_sum, p_caller, p_request, p_body);
END $$;

-- Takes a message out of the outbox and puts it into a mailbox. Answers 0 with {0, seq, who sent it}, or with {1} if it is not in the outbox
-- any more; 1 and 7 as `enqueue`; 13 if `p_behind` is in the outbox still. The rows of senders in `p_keys` are locked.
CREATE FUNCTION deliver(
  me actors, p_keys bigint[], p_out bigint, p_behind bigint, p_at bigint, p_messages bigint, p_bytes_max bigint, p_lane bigint,
  p_bytes bigint, p_sum bigint, p_caller bytea, p_body bytea
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome; sender bigint;
BEGIN
  r.me := me;
  SELECT actor INTO sender FROM outbox WHERE id = p_out AND actor = ANY(p_keys);
  IF me.actor IS NULL THEN
    r.ans := ROW(1, NULL, NULL);
  ELSIF sender IS NULL THEN
    r.ans := ROW(0, ARRAY[1], NULL);
  ELSIF EXISTS (SELECT FROM outbox WHERE id = p_behind) THEN
    r.ans := ROW(13, NULL, NULL);
  ELSE
    r := enqueue(me, p_at, p_messages, p_bytes_max, p_lane, p_bytes, p_sum, p_caller, NULL, p_body);
    IF (r.ans).code = 0 THEN
      DELETE FROM outbox WHERE id = p_out;
      r.ans := ROW(0, (r.ans).n || sender, NULL);
    END IF;
  END IF;
  RETURN r;
END $$;

-- As `retry_letter`, but 14 with {actor} if the same request waits in the mailbox.
CREATE FUNCTION retry_letter_2(
  me actors, p_writer bigint, p_id bigint, p_at bigint, p_messages bigint, p_bytes_max bigint
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome;
BEGIN
  IF EXISTS (
    SELECT FROM letters l JOIN requests q ON q.actor = l.actor AND q.caller = l.caller AND q.request = l.request
    WHERE l.id = p_id AND l.actor = me.actor AND q.at IS NULL)
  THEN
    r.me := me;
    r.ans := ROW(14, ARRAY[me.actor], NULL);
    RETURN r;
  END IF;
  RETURN retry_letter(me, p_writer, p_id, p_at, p_messages, p_bytes_max);
END $$;
