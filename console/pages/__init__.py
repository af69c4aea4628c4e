"""The pages, one module each: what it asks of the ledger, and the template it fills."""
