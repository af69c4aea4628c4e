"""The web console: pages for staff, analysts and auditors, over the ledger's own HTTP API."""
