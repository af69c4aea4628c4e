-- The hash chain, encoding v1. ledger/event_store/chain.py computes the same, independently.

CREATE FUNCTION ledger.sized(value bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$ SELECT int4send(octet_length(value)) || value $$;

CREATE FUNCTION ledger.chain_step(state bytea, encoded bytea, previous bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$ SELECT sha256(coalesce(state, previous) || encoded) $$;

CREATE AGGREGATE ledger.chained(encoded bytea, previous bytea) (
  SFUNC = ledger.chain_step, STYPE = bytea
);

CREATE FUNCTION ledger.genesis(incarnation uuid) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(ledger.sized(convert_to('rewards-ledger/event', 'UTF8')) || uuid_send(incarnation))
$$;
