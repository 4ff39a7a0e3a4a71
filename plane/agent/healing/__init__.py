"""Between tasks: what differs from Git, who made it so, and the repair."""
