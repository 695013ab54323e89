SELECT 'actor ' || q.actor || ', message ' || q.seq, 'a request waits for a message that is not there'
FROM requests q
WHERE q.at IS NULL
  AND NOT EXISTS (SELECT FROM mailbox m WHERE m.actor = q.actor AND m.lane = q.lane AND m.seq = q.seq)
LIMIT 1001
