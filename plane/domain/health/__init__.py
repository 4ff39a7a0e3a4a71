"""How a live object is."""
