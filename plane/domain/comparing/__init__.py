"""Git against the cluster: which fields differ, whose they are, and what does not count."""
