"""Who may ask, and what they were answered before."""
