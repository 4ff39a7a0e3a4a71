"""Who somebody is and what they may: log-in, sessions, tokens, grants."""
