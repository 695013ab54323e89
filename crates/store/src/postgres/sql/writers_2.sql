-- Stores whose rows were taken out because nobody had seen them for a day, and the last group of each: one that comes back is told
-- from one whose server has lost what it acknowledged.
CREATE TABLE retired (id bigint PRIMARY KEY, last_group bigint NOT NULL);

-- As `retire`, and remembers the last ten thousand of those that did not close.
CREATE FUNCTION retire_2(p_writer bigint) RETURNS void LANGUAGE sql AS $$
  WITH gone AS (
    DELETE FROM writers WHERE id > 0 AND (id = p_writer OR used < clock_timestamp() - interval '1 day') RETURNING *
  ), kept AS (
    INSERT INTO retired SELECT id, last_group FROM gone WHERE id <> p_writer
      ON CONFLICT (id) DO UPDATE SET last_group = EXCLUDED.last_group
  ), old AS (
    DELETE FROM retired WHERE id <= (SELECT max(id) FROM retired) - 10000
  ), total AS (
    SELECT coalesce(sum(replies), 0) AS a, coalesce(sum(reply_bytes), 0) AS b, coalesce(sum(letters), 0) AS c,
      coalesce(sum(letter_bytes), 0) AS d, coalesce(sum(letters_dropped), 0) AS e FROM gone
  ) UPDATE writers SET replies = replies + a, reply_bytes = reply_bytes + b, letters = letters + c,
    letter_bytes = letter_bytes + d, letters_dropped = letters_dropped + e FROM total WHERE id = 0
$$;

-- Gives a store its row back. What its last group was answered is gone. False if it was not retired.
CREATE FUNCTION revive(p_writer bigint, p_incarnation bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  WITH back AS (DELETE FROM retired WHERE id = p_writer RETURNING *)
  INSERT INTO writers (id, incarnation, last_group) SELECT id, p_incarnation, last_group FROM back;
  RETURN FOUND;
END $$;

-- Says that a store is still there, once an hour.
CREATE FUNCTION stay(p_writer bigint) RETURNS void LANGUAGE sql AS $$
  UPDATE writers SET used = clock_timestamp() WHERE id = p_writer AND used < clock_timestamp() - interval '1 hour'
$$;
