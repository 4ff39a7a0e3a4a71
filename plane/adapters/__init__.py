"""Outside things, one per file, each behind a port. Here I/O happens and outside errors become ours; nothing is decided, and no adapter knows the store."""
