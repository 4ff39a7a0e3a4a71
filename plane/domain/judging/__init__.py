"""What policy says of a release."""
