-- How far each relay has published, and which leader may move it (the epoch).

CREATE TABLE ledger.relay_checkpoint (
  relay text PRIMARY KEY,
  epoch bigint NOT NULL,
  published_position bigint NOT NULL CHECK (published_position >= 0),
  incarnation uuid NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON ledger.relay_checkpoint TO ledger_application;
