"""What is rendered from where: sources and their refs, what a renderer can read, and the secrets that are opened for it."""
