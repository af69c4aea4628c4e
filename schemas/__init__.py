"""The public contract: commands, events, the envelope, money and time. Imports nothing of ours."""
