"""Repositories. `transport` alone runs `git` against a network; `mirrors` and `tree` read what it brought; nothing is checked out."""
