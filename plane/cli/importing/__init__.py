"""`plane import`: another tool's documents as the plane's own, with a list of what becomes different. Contacts nothing."""
