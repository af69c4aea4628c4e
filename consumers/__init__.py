"""Everything that knows Kafka: the relay that publishes the log, and those that read it."""
