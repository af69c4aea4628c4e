-- Who may call the API. Tokens, passwords and sessions are kept as their hashes only: nobody can
-- read one back.

CREATE SCHEMA IF NOT EXISTS access;

CREATE TABLE access.tokens (
  token_hash bytea PRIMARY KEY,
  id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  client text NOT NULL,
  name text NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by text
);

-- People, who sign in to the console.
CREATE TABLE access.users (
  name text PRIMARY KEY,
  role text NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text NOT NULL,
  signed_in_at timestamptz,
  disabled_at timestamptz
);

-- What a person keeps in a browser. It ends with the user or the token it was opened by.
CREATE TABLE access.sessions (
  session_hash bytea PRIMARY KEY,
  user_name text REFERENCES access.users,
  token_hash bytea REFERENCES access.tokens,
  csrf text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CHECK (num_nonnulls(user_name, token_hash) = 1)
);
CREATE INDEX sessions_user ON access.sessions (user_name);
CREATE INDEX sessions_expiry ON access.sessions (expires_at);

-- Failures by the name they were tried for, whether there is such a user or not. The name is hashed:
-- people type passwords there.
CREATE TABLE access.failed_sign_ins (
  name_hash bytea PRIMARY KEY,
  failures integer NOT NULL,
  failed_at timestamptz NOT NULL,
  blocked_until timestamptz NOT NULL
);
CREATE INDEX failed_sign_ins_age ON access.failed_sign_ins (failed_at);

-- Which token or user came of a request under an idempotency key.
CREATE TABLE access.requests (
  client text NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  made text NOT NULL,
  PRIMARY KEY (client, key)
);

GRANT USAGE ON SCHEMA access TO ledger_application;
GRANT SELECT, INSERT, UPDATE ON access.tokens, access.users TO ledger_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON access.sessions, access.failed_sign_ins
  TO ledger_application;
GRANT SELECT, INSERT ON access.requests TO ledger_application;
