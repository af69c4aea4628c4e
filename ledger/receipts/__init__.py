"""Receipts: which sales have a number, and who waits for one."""
