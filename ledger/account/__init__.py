"""A profile's account: the consistency boundary. Everything that moves its value decides here."""
