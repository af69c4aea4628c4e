-- The folded state of long streams. Disposable, and never part of the log: the application writes
-- it itself. `chain` is that of the event it was taken at, so that it can't outlive its history.

CREATE TABLE ledger.snapshots (
  stream_id text PRIMARY KEY,
  stream_version integer NOT NULL,
  position bigint NOT NULL,
  chain bytea NOT NULL,
  fingerprint bytea NOT NULL,
  state bytea NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT now()
);
-- Read whole, and often: unpacking it would cost more than its place on disk.
ALTER TABLE ledger.snapshots ALTER COLUMN state SET STORAGE EXTERNAL;

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.snapshots TO ledger_application;
