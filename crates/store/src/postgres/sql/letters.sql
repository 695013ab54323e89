-- Keeps a letter, in place of the oldest ones if need be. NULL if it is larger than the whole box.
-- `p_keep` is what is kept at most: {age of replies, bytes of replies, letters, bytes of letters}.
CREATE FUNCTION post_letter(
  p_writer bigint, p_keep bigint[], p_actor bigint, p_at bigint, p_cause bytea, p_attempts bigint, p_lane bigint,
  p_bytes bigint, p_caller bytea, p_request bytea, p_sum bigint, p_body bytea
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  size bigint := p_bytes + octet_length(p_cause) + @OVERHEAD@;
  have bigint; have_bytes bigint; gone bigint; went bigint := 0; went_bytes bigint := 0; number bigint;
BEGIN
  IF size > p_keep[4] OR p_keep[3] = 0 THEN
    UPDATE writers SET letters_dropped = letters_dropped + 1 WHERE id = p_writer;
    RETURN NULL;
  END IF;
  SELECT sum(letters), sum(letter_bytes) INTO have, have_bytes FROM writers;
  WHILE have - went >= p_keep[3] OR have_bytes - went_bytes > p_keep[4] - size LOOP
    DELETE FROM letters WHERE id = (SELECT id FROM letters ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING bytes + octet_length(cause) + @OVERHEAD@ INTO gone;
    EXIT WHEN NOT FOUND;
    went := went + 1;
    went_bytes := went_bytes + gone;
  END LOOP;
  number := nextval('letter_number');
  INSERT INTO letters VALUES (
    number, p_actor, p_at, p_cause, p_attempts, p_lane, p_bytes, p_caller, p_request, p_sum, p_body);
  UPDATE writers SET letters = letters + 1 - went, letter_bytes = letter_bytes + size - went_bytes,
    letters_dropped = letters_dropped + went WHERE id = p_writer;
  RETURN number;
END $$;

-- Takes a letter out. Answers whether it was there.
CREATE FUNCTION remove_letter(p_writer bigint, p_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE gone bigint;
BEGIN
  DELETE FROM letters WHERE id = p_id RETURNING bytes + octet_length(cause) + @OVERHEAD@ INTO gone;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE writers SET letters = letters - 1, letter_bytes = letter_bytes - gone WHERE id = p_writer;
  RETURN true;
END $$;

-- Moves a letter back into its mailbox. Answers 0 with {lane, seq}, or 12 if it is not there.
CREATE FUNCTION retry_letter(
  me actors, p_writer bigint, p_id bigint, p_at bigint, p_messages bigint, p_bytes_max bigint
) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE r outcome; l letters; old bigint;
BEGIN
  r.me := me;
  SELECT * INTO l FROM letters WHERE id = p_id AND actor = me.actor;
  IF NOT FOUND THEN
    r.ans := ROW(12, NULL, NULL);
    RETURN r;
  END IF;
  r.ans := no_room(me, l.bytes, p_messages, p_bytes_max);
  IF (r.ans).code <> 0 THEN
    RETURN r;
  END IF;
  me.seq := me.seq + 1;
  me.queued := me.queued + 1;
  me.queued_bytes := me.queued_bytes + l.bytes;
  IF l.request IS NOT NULL THEN
    DELETE FROM requests q WHERE q.actor = me.actor AND q.caller = l.caller AND q.request = l.request
      RETURNING CASE WHEN at IS NULL THEN NULL ELSE bytes END INTO old;
    r.replies := CASE WHEN old IS NULL THEN 0 ELSE -1 END;
    r.reply_bytes := -coalesce(old, 0);
    INSERT INTO requests VALUES (me.actor, l.caller, l.request, l.lane, me.seq, NULL, 0, NULL, NULL);
  END IF;
  INSERT INTO mailbox VALUES (me.actor, l.lane, me.seq, p_at, 0, l.bytes, l.caller, l.request, l.sum, l.body);
  PERFORM remove_letter(p_writer, p_id);
  r.me := me;
  r.ans := ROW(0, ARRAY[l.lane, me.seq], NULL);
  RETURN r;
END $$;
