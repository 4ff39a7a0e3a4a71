"""Places that the audit log is sent to, one per module; each takes a batch whole or says why not, and remembers nothing."""
