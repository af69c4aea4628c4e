-- The log and what must be unique across it. Only append_batch writes here.

CREATE SCHEMA IF NOT EXISTS ledger;

-- One row for ever: the log's identity. Restored or failed-over logs get a new incarnation.
CREATE TABLE ledger.log (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  incarnation uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO ledger.log DEFAULT VALUES;

CREATE TABLE ledger.events (
  position bigint PRIMARY KEY,
  stream_id text NOT NULL,
  stream_version integer NOT NULL CHECK (stream_version > 0),
  type text NOT NULL,
  schema_version integer NOT NULL,
  payload bytea NOT NULL,
  command_id uuid NOT NULL,
  correlation_id uuid,
  causation_id uuid,
  occurred_at timestamptz NOT NULL CHECK (isfinite(occurred_at)),
  recorded_at timestamptz NOT NULL CHECK (isfinite(recorded_at)),
  actor text NOT NULL,
  batch_index integer NOT NULL,
  batch_size integer NOT NULL,
  chain bytea NOT NULL
);
-- The head of a stream is read from this index alone.
CREATE UNIQUE INDEX events_stream ON ledger.events (stream_id, stream_version) INCLUDE (position);

-- The permanent idempotency record of a command: what was decided, and which events it wrote.
CREATE TABLE ledger.commands (
  client text NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  outcome bytea NOT NULL,
  first_position bigint NOT NULL,
  event_count integer NOT NULL,
  PRIMARY KEY (client, key)
);
-- Which command wrote an event: always added at the end, so the hot path pays little for it.
CREATE INDEX commands_wrote ON ledger.commands (first_position) WHERE event_count > 0;

-- Names that belong to one stream, for ever or until they are released.
CREATE TABLE ledger.reservations (
  kind text NOT NULL,
  key text NOT NULL,
  stream_id text NOT NULL,
  fingerprint bytea,
  PRIMARY KEY (kind, key)
);
CREATE INDEX reservations_identities ON ledger.reservations (stream_id) WHERE kind = 'identity';

-- One row a group: a resubmission after a lost answer finds its own commit here.
CREATE TABLE ledger.appends (
  append_id uuid PRIMARY KEY,
  first_position bigint NOT NULL,
  event_count integer NOT NULL,
  recorded_at timestamptz NOT NULL
);

-- Identifiers are handed out in blocks of this size.
CREATE SEQUENCE ledger.ids INCREMENT BY 2000;
