"""The log, read and sent."""
