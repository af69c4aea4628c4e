"""The read side: rows folded from the log. Every table here can be thrown away and built again."""
