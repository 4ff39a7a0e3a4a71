"""The agents' side: who they are, what they are given, and what they tell."""
