"""What people do to one live object: actions and patches."""
