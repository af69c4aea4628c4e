"""The applications: settings, servers and the command line."""
