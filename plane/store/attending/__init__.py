"""Clusters, their agents, and what these tell."""
