"""The programme: what holds for every account, such as the reward definitions."""
