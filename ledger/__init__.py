"""The write side: decisions (pure) and the event store that keeps them."""
