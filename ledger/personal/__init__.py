"""Personal data: sealed under a key per profile, found by keyed tokens, erased with the key."""
