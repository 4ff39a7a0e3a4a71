"""What people ask of apps and of the agents that look after them."""
