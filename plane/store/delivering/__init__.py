"""What the worker reads and writes on the way from a due repository to a task."""
