"""One way per module to make objects from files, inside the sandbox only; what each can read is computed here before it starts."""
