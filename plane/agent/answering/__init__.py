"""Answers to questions, and orders about one live object: only what is an app's, without secret values."""
