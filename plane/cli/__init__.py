"""The command line: contexts, documents and nouns over REST.

It decides nothing: what the plane refuses, it repeats in the plane's own words.
"""
