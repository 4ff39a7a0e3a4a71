"""Starts processes. The only place that knows which adapter fills which port; beside it only the command line reads the environment."""
