"""What policy sets need: OPA itself, and what others sign and pack for it."""
