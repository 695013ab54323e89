WITH counted AS (
  SELECT a.actor, ARRAY[a.state_keys, a.state_bytes, a.timers, a.outbox, a.sealed_keys, a.queued, a.queued_bytes] AS says,
    ARRAY[coalesce(s.n, 0), coalesce(s.b, 0), coalesce(t.n, 0), coalesce(o.n, 0), coalesce(k.n, 0), coalesce(m.n, 0),
      coalesce(m.b, 0)] AS keeps
  FROM actors a
  LEFT JOIN (SELECT actor, count(*) n, sum(octet_length(key) + octet_length(value))::bigint b FROM state GROUP BY actor) s USING (actor)
  LEFT JOIN (SELECT actor, count(*) n FROM timers GROUP BY actor) t USING (actor)
  LEFT JOIN (SELECT actor, count(*) n FROM outbox GROUP BY actor) o USING (actor)
  LEFT JOIN (SELECT actor, count(*) n FROM sealed_keys GROUP BY actor) k USING (actor)
  LEFT JOIN (SELECT actor, count(*) n, sum(bytes)::bigint b FROM mailbox GROUP BY actor) m USING (actor)
), strays AS (
  SELECT DISTINCT actor FROM (
    SELECT actor FROM state UNION ALL SELECT actor FROM timers UNION ALL SELECT actor FROM outbox
    UNION ALL SELECT actor FROM sealed_keys UNION ALL SELECT actor FROM mailbox UNION ALL SELECT actor FROM requests
  ) rows WHERE actor NOT IN (SELECT actor FROM actors)
)
SELECT 'actor ' || actor, 'keeps ' || keeps::text || ' where its row says ' || says::text
  || ' (keys, bytes, timers, outgoing, sealed keys, queued, their bytes)'
FROM counted WHERE keeps <> says
UNION ALL SELECT 'actor ' || actor, 'has rows and is not there' FROM strays
LIMIT 1001
