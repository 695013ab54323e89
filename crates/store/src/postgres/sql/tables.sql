-- Names are bytes throughout: they sort as everywhere else in Playhouse, whatever the collation of the database, and may hold any byte.
-- `sum` is the checksum of what the client wrote, with the key that it stands under as far as the client knows it.

CREATE TABLE meta (id smallint PRIMARY KEY CHECK (id = 1), version integer NOT NULL);

-- Each store that is open has a row: the last group that it wrote and what came of it, for finding that out again when
-- the connection broke, and its share of what is counted over all. Row 0 has the shares of those that closed.
CREATE TABLE writers (
  id bigint PRIMARY KEY,
  incarnation bigint NOT NULL DEFAULT 1,
  last_group bigint NOT NULL DEFAULT 0,
  seen_ms bigint NOT NULL DEFAULT 0,
  used timestamptz NOT NULL DEFAULT clock_timestamp(),
  replies bigint NOT NULL DEFAULT 0,
  reply_bytes bigint NOT NULL DEFAULT 0,
  letters bigint NOT NULL DEFAULT 0,
  letter_bytes bigint NOT NULL DEFAULT 0,
  letters_dropped bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

CREATE TABLE actors (
  actor bigint PRIMARY KEY,
  realm bigint NOT NULL,
  manufacturer bytea NOT NULL,
  type_name bytea NOT NULL,
  instance bytea NOT NULL,
  owner bytea NOT NULL,
  epoch bigint NOT NULL,
  until bigint NOT NULL,
  revision bigint NOT NULL,
  seq bigint NOT NULL,
  state_keys bigint NOT NULL,
  state_bytes bigint NOT NULL,
  timers bigint NOT NULL,
  outbox bigint NOT NULL,
  sealed_keys bigint NOT NULL,
  queued bigint NOT NULL,
  queued_bytes bigint NOT NULL,
  UNIQUE (realm, manufacturer, type_name, instance)
) WITH (fillfactor = 50);

CREATE TABLE mailbox (
  actor bigint, lane bigint, seq bigint,
  at bigint NOT NULL, attempts bigint NOT NULL, bytes bigint NOT NULL,
  caller bytea NOT NULL, request bytea, sum bigint NOT NULL, body bytea NOT NULL,
  PRIMARY KEY (actor, lane, seq)
);

-- A request waits (`lane` and `seq`) or was answered (`at`, and `reply` if there was one).
CREATE TABLE requests (
  actor bigint, caller bytea, request bytea,
  lane bigint, seq bigint, at bigint, bytes bigint NOT NULL, sum bigint, reply bytea,
  PRIMARY KEY (actor, caller, request)
);
CREATE INDEX requests_by_age ON requests (at, actor) WHERE at IS NOT NULL;

CREATE TABLE state (
  actor bigint, key bytea, version bigint NOT NULL, sum bigint NOT NULL, value bytea NOT NULL,
  PRIMARY KEY (actor, key)
) WITH (fillfactor = 80);

CREATE TABLE outbox (
  id bigint PRIMARY KEY, actor bigint NOT NULL, attempts bigint NOT NULL, not_before bigint NOT NULL,
  bytes bigint NOT NULL, sum bigint NOT NULL, body bytea NOT NULL
);
-- Whoever posts holds this row until its commit, so that ids ascend in order of commit and no reader passes one by.
CREATE TABLE outbox_end (id smallint PRIMARY KEY CHECK (id = 1), last bigint NOT NULL) WITH (fillfactor = 20);

CREATE TABLE timers (
  actor bigint, name bytea, due bigint NOT NULL, sum bigint NOT NULL, body bytea NOT NULL,
  PRIMARY KEY (actor, name)
);
CREATE INDEX timers_by_due ON timers (due, actor, name);

CREATE TABLE letters (
  id bigint PRIMARY KEY, actor bigint NOT NULL, at bigint NOT NULL, cause bytea NOT NULL, attempts bigint NOT NULL,
  lane bigint NOT NULL, bytes bigint NOT NULL, caller bytea NOT NULL, request bytea, sum bigint NOT NULL, body bytea NOT NULL
);

CREATE TABLE sealed_keys (actor bigint, name bytea, sum bigint NOT NULL, blob bytea NOT NULL, PRIMARY KEY (actor, name));
CREATE TABLE notes (name bytea PRIMARY KEY, sum bigint NOT NULL, value bytea NOT NULL);

CREATE SEQUENCE actor_number;
CREATE SEQUENCE letter_number;
CREATE SEQUENCE writer_number;

-- What came of a write: 0 or the number of the rule that refused it, with numbers and bytes that depend on it.
CREATE TYPE answer AS (code bigint, n bigint[], b bytea);
ALTER TABLE writers ADD COLUMN answers answer[] NOT NULL DEFAULT '{}';
-- What a write made of an actor, what it answers, and what it adds to the replies and to the outbox.
CREATE TYPE outcome AS (me actors, ans answer, replies bigint, reply_bytes bigint, outs bigint);

INSERT INTO writers (id) VALUES (0);
INSERT INTO outbox_end VALUES (1, 0);
