"""Rows for people to look at."""
