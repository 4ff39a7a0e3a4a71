"""Shapes on a network: the agent protocol, the REST bodies, problems, and the signatures on them. No I/O, no decisions."""
