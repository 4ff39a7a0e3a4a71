"""Who says so, and how it shows: keys, signatures, stamps, providers of identity."""
