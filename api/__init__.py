"""The HTTP side: reads requests, asks the ledger, and writes answers. Decides nothing itself."""
