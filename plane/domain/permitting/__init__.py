"""What a project lets its apps use: sources, places, kinds, signatures, and the accounts they act as."""
