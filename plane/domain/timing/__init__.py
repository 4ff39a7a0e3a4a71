"""When something may happen: cron, windows, freezes, retries, rollbacks."""
