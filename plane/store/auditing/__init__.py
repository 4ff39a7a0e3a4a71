"""The rows of the log, and how far each of its readers is."""
