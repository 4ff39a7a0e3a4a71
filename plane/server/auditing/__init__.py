"""The log: sealed, kept, read, sent and taken out."""
