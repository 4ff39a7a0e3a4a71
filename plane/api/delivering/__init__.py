"""What is delivered, asked for and shown of it."""
