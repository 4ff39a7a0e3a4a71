"""Steps 1 to 8 of the flow, as the worker does them: from a due repository to a task."""
