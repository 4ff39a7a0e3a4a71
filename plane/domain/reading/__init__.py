"""Text → objects: YAML and JSON as Kubernetes tools read them, with positions and with refusals that name a line."""
