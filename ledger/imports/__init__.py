"""Imports: rewards from a CSV file, checked whole before any is written, each row once for ever."""
