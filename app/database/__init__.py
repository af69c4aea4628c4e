"""The database as a whole: one history of migrations, each object's SQL in its own room."""
