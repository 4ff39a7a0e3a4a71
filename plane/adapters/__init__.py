"""Outside things, one per file, each behind a port. I/O happens here and outside errors become ours; nothing is decided."""
