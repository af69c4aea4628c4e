-- Imports that came over HTTP, and how far each is. Their files hold e-mails: the parts are sealed
-- under a key of the import's own, which is destroyed with them.

CREATE TABLE ledger.imports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  client text NOT NULL,
  actor text NOT NULL,
  key text,
  fingerprint bytea NOT NULL,
  digest text NOT NULL,
  columns text[] NOT NULL,
  handler text NOT NULL,
  dry_run boolean NOT NULL,
  create_profiles boolean NOT NULL,
  limited boolean NOT NULL,
  phase text NOT NULL DEFAULT 'checking'
    CHECK (phase IN ('checking', 'checked', 'writing', 'written', 'failed')),
  begun boolean NOT NULL DEFAULT false,
  key_id uuid,
  count bigint NOT NULL DEFAULT 0,
  done bigint NOT NULL DEFAULT 0,
  written bigint NOT NULL DEFAULT 0,
  failed_count bigint NOT NULL DEFAULT 0,
  totals jsonb NOT NULL DEFAULT '[]',
  fault text,
  created_at timestamptz NOT NULL DEFAULT now(),
  phase_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (client, key)
);
CREATE INDEX imports_open ON ledger.imports (id) WHERE phase IN ('checking', 'writing');
CREATE INDEX imports_kept ON ledger.imports (phase_at) WHERE key_id IS NOT NULL;

CREATE TABLE ledger.import_parts (
  import_id bigint NOT NULL REFERENCES ledger.imports ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('file', 'rejected')),
  number integer NOT NULL,
  sealed text NOT NULL,
  PRIMARY KEY (import_id, kind, number)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.imports, ledger.import_parts TO ledger_application;
