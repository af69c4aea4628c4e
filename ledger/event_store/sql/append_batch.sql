-- Appends one group, all of it or nothing. Conflicts are answers, not errors, and carry what stands
-- in the way as it is under the lock.
-- x: the heads the group rests on; e: events; c: command records (first: which of the group's events
-- is the command's first, from 1; one that wrote none keeps where the log stood); r: reservations;
-- f: names set free; g: streams that let go of all their identities.
--
-- plpgsql keeps plans for the life of a connection, also those made while the tables were empty.
-- So no plan may rest on sizes: every look-up below goes row by row (LATERAL … LIMIT 1), and
-- without sequential and bitmap scans only the index is left for it.

CREATE FUNCTION ledger.append_batch(
  p_append uuid,
  x_stream text[], x_version integer[], x_position bigint[],
  e_stream text[], e_version integer[], e_type text[], e_schema integer[],
  e_payload bytea[], e_command uuid[], e_correlation uuid[], e_causation uuid[],
  e_occurred timestamptz[], e_actor text[], e_index integer[], e_size integer[],
  c_client text[], c_key text[], c_fingerprint bytea[], c_outcome bytea[],
  c_first integer[], c_count integer[],
  r_kind text[], r_key text[], r_stream text[], r_fingerprint bytea[],
  f_kind text[], f_key text[], g_stream text[],
  OUT o_first bigint, OUT o_count integer, OUT o_recorded timestamptz, OUT o_conflicts jsonb
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  forgetful text;
  head_position bigint;
  head_recorded timestamptz;
  head_chain bytea;
  log_id uuid;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append_batch needs READ COMMITTED: each check must see what is committed now';
  END IF;
  PERFORM set_config('synchronous_commit', 'on', true), set_config('lock_timeout', '5s', true);
  -- The lock alone, in a statement of its own: a check in the same statement would see the
  -- snapshot from before the wait.
  PERFORM pg_advisory_xact_lock(7236452, 1);
  -- From here on everybody waits for this transaction; set now, its time runs from now. Before
  -- PostgreSQL 17 only ledger.end_stale_writer ends it.
  IF current_setting('server_version_num')::int >= 170000 THEN
    PERFORM set_config('transaction_timeout', '5s', true);
  END IF;

  SELECT first_position, event_count, recorded_at INTO o_first, o_count, o_recorded
    FROM ledger.appends WHERE append_id = p_append;
  IF FOUND THEN
    -- The first call may have been cut off while its commit waited for a synchronous standby. A
    -- record in the write-ahead log makes this commit wait for the standby again.
    PERFORM pg_logical_emit_message(true, 'ledger', '');
    RETURN;
  END IF;

  SELECT jsonb_strip_nulls(jsonb_build_object(
    'streams', (SELECT jsonb_agg(jsonb_build_array(x.s, coalesce(h.v, 0), coalesce(h.p, 0)))
      FROM unnest(x_stream, x_version, x_position) AS x(s, v, p)
      LEFT JOIN LATERAL (SELECT e.stream_version AS v, e.position AS p FROM ledger.events e
        WHERE e.stream_id = x.s ORDER BY e.stream_version DESC LIMIT 1) h ON true
      WHERE (coalesce(h.v, 0), coalesce(h.p, 0)) <> (x.v, x.p)),
    'records', (SELECT jsonb_agg(jsonb_build_array(c.client, c.key, encode(c.fingerprint, 'hex'),
        encode(c.outcome, 'hex'), c.first_position, c.event_count))
      FROM unnest(c_client, c_key) AS x(client, key)
      CROSS JOIN LATERAL (SELECT * FROM ledger.commands c
        WHERE c.client = x.client AND c.key = x.key LIMIT 1) c),
    'claims', (SELECT jsonb_agg(jsonb_build_array(r.kind, r.key, r.stream_id,
        encode(r.fingerprint, 'hex')))
      FROM unnest(r_kind, r_key, r_stream) AS x(kind, key, stream)
      CROSS JOIN LATERAL (SELECT * FROM ledger.reservations r
        WHERE r.kind = x.kind AND r.key = x.key LIMIT 1) r
      WHERE r.stream_id <> x.stream)
  )) INTO o_conflicts;
  IF o_conflicts <> '{}' THEN RETURN; END IF;
  o_conflicts := NULL;

  SELECT incarnation INTO STRICT log_id FROM ledger.log WHERE one;
  SELECT position, recorded_at, chain INTO head_position, head_recorded, head_chain
    FROM ledger.events ORDER BY position DESC LIMIT 1;
  head_position := coalesce(head_position, 0);
  head_chain := coalesce(head_chain, ledger.genesis(log_id));
  o_first := head_position + 1;
  o_count := coalesce(array_length(e_stream, 1), 0);
  o_recorded := greatest(clock_timestamp(), head_recorded);

  INSERT INTO ledger.events
  SELECT head_position + e.n, e.stream, e.version, e.type, e.schema, e.payload, e.command,
    e.correlation, e.causation, e.occurred, o_recorded, e.actor, e.index, e.size,
    ledger.chained(
      ledger.sized(convert_to('rewards-ledger/event', 'UTF8')) || int4send(1) || uuid_send(log_id)
      || int8send(head_position + e.n) || ledger.sized(convert_to(e.stream, 'UTF8'))
      || int4send(e.version) || ledger.sized(convert_to(e.type, 'UTF8')) || int4send(e.schema)
      || ledger.sized(e.payload) || uuid_send(e.command)
      || coalesce('\x01'::bytea || uuid_send(e.correlation), '\x00'::bytea)
      || coalesce('\x01'::bytea || uuid_send(e.causation), '\x00'::bytea)
      || timestamptz_send(e.occurred) || timestamptz_send(o_recorded)
      || ledger.sized(convert_to(e.actor, 'UTF8')) || int4send(e.index) || int4send(e.size),
      head_chain) OVER (ORDER BY e.n ROWS UNBOUNDED PRECEDING)
  FROM unnest(e_stream, e_version, e_type, e_schema, e_payload, e_command, e_correlation,
    e_causation, e_occurred, e_actor, e_index, e_size) WITH ORDINALITY
    AS e(stream, version, type, schema, payload, command, correlation, causation, occurred, actor,
      index, size, n);

  INSERT INTO ledger.commands
  SELECT c.client, c.key, c.fingerprint, c.outcome,
    head_position + c.first - CASE WHEN c.count > 0 THEN 0 ELSE 1 END, c.count
  FROM unnest(c_client, c_key, c_fingerprint, c_outcome, c_first, c_count)
    AS c(client, key, fingerprint, outcome, first, count);

  IF cardinality(f_kind) + cardinality(g_stream) > 0 THEN
    PERFORM set_config('ledger.releasing', 'on', true);
    FOR n IN 1 .. cardinality(f_kind) LOOP
      DELETE FROM ledger.reservations r WHERE r.kind = f_kind[n] AND r.key = f_key[n];
    END LOOP;
    -- Planned each time it is needed, which is rare: a kept plan might go through all identities.
    FOREACH forgetful IN ARRAY g_stream LOOP
      EXECUTE 'DELETE FROM ledger.reservations WHERE kind = ''identity'' AND stream_id = $1'
        USING forgetful;
    END LOOP;
    PERFORM set_config('ledger.releasing', 'off', true);
  END IF;
  -- A stream may claim its own name again; its first claim stands.
  INSERT INTO ledger.reservations SELECT * FROM unnest(r_kind, r_key, r_stream, r_fingerprint)
  ON CONFLICT DO NOTHING;
  -- What wrote nothing (dry runs, refusals without a key) may as well be looked at again.
  IF o_count > 0 OR cardinality(c_client) > 0 THEN
    INSERT INTO ledger.appends VALUES (p_append, o_first, o_count, o_recorded);
  END IF;
END $$;

-- COMMIT on the server: a client that stalls after this message holds no lock.
CREATE PROCEDURE ledger.append_batch_tx(
  p_append uuid,
  x_stream text[], x_version integer[], x_position bigint[],
  e_stream text[], e_version integer[], e_type text[], e_schema integer[],
  e_payload bytea[], e_command uuid[], e_correlation uuid[], e_causation uuid[],
  e_occurred timestamptz[], e_actor text[], e_index integer[], e_size integer[],
  c_client text[], c_key text[], c_fingerprint bytea[], c_outcome bytea[],
  c_first integer[], c_count integer[],
  r_kind text[], r_key text[], r_stream text[], r_fingerprint bytea[],
  f_kind text[], f_key text[], g_stream text[],
  INOUT o_first bigint, INOUT o_count integer, INOUT o_recorded timestamptz, INOUT o_conflicts jsonb
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT * INTO o_first, o_count, o_recorded, o_conflicts FROM ledger.append_batch(
    p_append, x_stream, x_version, x_position, e_stream, e_version, e_type, e_schema, e_payload,
    e_command, e_correlation, e_causation, e_occurred, e_actor, e_index, e_size, c_client, c_key,
    c_fingerprint, c_outcome, c_first, c_count, r_kind, r_key, r_stream, r_fingerprint, f_kind,
    f_key, g_stream);
  COMMIT;
END $$;
