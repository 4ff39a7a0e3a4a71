"""What an agent does for a release, in which order."""
