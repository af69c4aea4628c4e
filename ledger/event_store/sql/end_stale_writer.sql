-- Ends sessions that have held the lock of the append for more than 5 s, and says how many. For
-- PostgreSQL before 17 and for holders that did not come through append_batch.
--
-- It runs with the caller's rights: a role may end sessions of its own, and all writers of ours log
-- in with one role. For sessions of other roles grant pg_signal_backend and pg_read_all_stats.
-- Who waits for a synchronous standby is spared: ended there, its commit would stand unconfirmed.

CREATE FUNCTION ledger.end_stale_writer() RETURNS integer
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid))::integer
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()
    AND (l.classid, l.objid, l.objsubid) = (7236452, 1, 2)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND coalesce(a.xact_start, a.state_change) < clock_timestamp() - interval '5 s'
    AND a.wait_event IS DISTINCT FROM 'SyncRep'
$$;
