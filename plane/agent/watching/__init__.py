"""What the agent sees: watches, what waits for a change, scripts that judge health, the state to tell. Writes nothing to the cluster."""
