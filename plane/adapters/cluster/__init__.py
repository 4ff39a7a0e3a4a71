"""A Kubernetes API server, as the agent talks to it."""
