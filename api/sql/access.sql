-- Who may call the API. A token is kept as its hash only: nobody can read one back.

CREATE SCHEMA IF NOT EXISTS access;

CREATE TABLE access.tokens (
  token_hash bytea PRIMARY KEY,
  client text NOT NULL,
  name text NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

GRANT USAGE ON SCHEMA access TO ledger_application;
GRANT SELECT, INSERT, UPDATE ON access.tokens TO ledger_application;
