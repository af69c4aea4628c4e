-- What is written stays written, also against a mistake of the owner; the application may only
-- append through the procedure and read.

CREATE FUNCTION ledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on ledger.% is refused: the log is append-only', TG_OP, TG_TABLE_NAME;
END $$;

-- A name can be set free, by the append alone: it sets this for as long as it removes names.
CREATE FUNCTION ledger.refuse_removal() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('ledger.releasing', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION '% on ledger.% is refused: the log is append-only', TG_OP, TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $$;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['events', 'commands', 'appends', 'log'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I
      FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', t);
    EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER append_only', t);
  END LOOP;
  CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON ledger.reservations
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
  CREATE TRIGGER released_only BEFORE DELETE ON ledger.reservations
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_removal();
  ALTER TABLE ledger.reservations ENABLE ALWAYS TRIGGER append_only;
  ALTER TABLE ledger.reservations ENABLE ALWAYS TRIGGER released_only;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger_application') THEN
    CREATE ROLE ledger_application NOLOGIN;
  END IF;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO ledger_application;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO ledger_application;
GRANT USAGE ON SEQUENCE ledger.ids TO ledger_application;
GRANT EXECUTE ON FUNCTION ledger.append_batch, ledger.end_stale_writer TO ledger_application;
GRANT EXECUTE ON PROCEDURE ledger.append_batch_tx TO ledger_application;
