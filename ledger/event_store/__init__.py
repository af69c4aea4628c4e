"""One append-only log of events with dense positions, behind a port."""
