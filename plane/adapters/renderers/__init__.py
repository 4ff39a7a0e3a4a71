"""One way per module to make objects from files. All of them run inside the sandbox only; what each can read is computed here, before it starts."""
