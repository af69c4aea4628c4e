-- Keys of personal data and what profiles are found by. Both can be changed: what is sealed in the
-- log is erased by destroying its key here. Nothing here can be opened without the master key.

-- The deployment's own secret, from which the keys of tokens are derived.
CREATE TABLE ledger.personal_secret (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  wrapped bytea NOT NULL
);

-- Who is erased is to leave the files soon too, not only the table.
CREATE TABLE ledger.personal_keys (
  key_id uuid PRIMARY KEY,
  owner text NOT NULL,
  wrapped bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  destroyed_at timestamptz,
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1);
CREATE UNIQUE INDEX personal_keys_live ON ledger.personal_keys (owner) WHERE destroyed_at IS NULL;

CREATE TABLE ledger.personal_index (
  kind text NOT NULL,
  token bytea NOT NULL,
  key_id uuid NOT NULL,
  owner text NOT NULL,
  PRIMARY KEY (kind, token, key_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1);
CREATE INDEX personal_index_key ON ledger.personal_index (key_id);

-- The live key of each owner; the ones offered become those of owners who have none yet. A look
-- of its own after the insertion, so that one made meanwhile by somebody else is seen.
CREATE FUNCTION ledger.sealing_keys(p_owners text[], p_ids uuid[], p_wrapped bytea[])
RETURNS TABLE (owner text, key_id uuid, wrapped bytea)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO ledger.personal_keys (key_id, owner, wrapped)
  SELECT n.id, n.owner, n.wrapped FROM unnest(p_owners, p_ids, p_wrapped) AS n(owner, id, wrapped)
  WHERE NOT EXISTS (
    SELECT FROM ledger.personal_keys k WHERE k.owner = n.owner AND k.destroyed_at IS NULL)
  ORDER BY n.owner
  ON CONFLICT (owner) WHERE destroyed_at IS NULL DO NOTHING;
  RETURN QUERY SELECT k.owner, k.key_id, k.wrapped FROM ledger.personal_keys k
    WHERE k.owner = ANY (p_owners) AND k.destroyed_at IS NULL;
END $$;

-- Destroys keys and what is found by them; which of them still lived. Again is fine.
CREATE FUNCTION ledger.destroy_keys(p_ids uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY UPDATE ledger.personal_keys k SET wrapped = NULL, destroyed_at = now()
    WHERE k.key_id = ANY (p_ids) AND k.destroyed_at IS NULL RETURNING k.key_id;
  DELETE FROM ledger.personal_index i WHERE i.key_id = ANY (p_ids);
END $$;

-- Nothing is found by a key that is destroyed, nor while it is being destroyed.
CREATE FUNCTION ledger.index_personal(p_key uuid, p_owner text, p_kinds text[], p_tokens bytea[])
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.personal_keys k
    WHERE k.key_id = p_key AND k.destroyed_at IS NULL FOR SHARE;
  IF FOUND THEN
    INSERT INTO ledger.personal_index (kind, token, key_id, owner)
    SELECT n.kind, n.token, p_key, p_owner FROM unnest(p_kinds, p_tokens) AS n(kind, token)
    ON CONFLICT DO NOTHING;
  END IF;
END $$;

REVOKE ALL ON FUNCTION ledger.sealing_keys, ledger.destroy_keys, ledger.index_personal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.sealing_keys, ledger.destroy_keys, ledger.index_personal
  TO ledger_application;
GRANT SELECT, INSERT, UPDATE ON ledger.personal_secret, ledger.personal_keys TO ledger_application;
GRANT SELECT, INSERT, DELETE ON ledger.personal_index TO ledger_application;
