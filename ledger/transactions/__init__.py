"""Transactions: streams of their own, and what they mean for the redemptions that paid."""
