"""Tables of actions, one module per project: what an action writes, and when it is impossible. Nothing is run here."""
