"""The shell around the core: truth in Redis, one commit, notifications and notes that leave through it."""
