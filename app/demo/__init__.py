"""The article's four steps, walked over HTTP against a running ledger."""
