"""What the agent keeps and knows: its identity and lease, the fences in the cluster, releases on disk, records of live objects."""
