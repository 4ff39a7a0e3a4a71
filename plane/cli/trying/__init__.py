"""`plane try`: single steps of the flow on local files; contacts nothing."""
