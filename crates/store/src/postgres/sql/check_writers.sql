WITH says AS (
  SELECT ARRAY[sum(replies), sum(reply_bytes), sum(letters), sum(letter_bytes)]::bigint[] AS n FROM writers
), is_there AS (
  SELECT ARRAY[
    (SELECT count(*) FROM requests WHERE at IS NOT NULL), (SELECT coalesce(sum(bytes), 0) FROM requests WHERE at IS NOT NULL),
    (SELECT count(*) FROM letters), (SELECT coalesce(sum(bytes + octet_length(cause) + 64), 0) FROM letters)]::bigint[] AS n
)
SELECT 'all', 'they count ' || says.n::text || ' where there are ' || is_there.n::text
  || ' (replies, their bytes, letters, their bytes)'
FROM says, is_there WHERE says.n <> is_there.n
