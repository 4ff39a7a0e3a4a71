"""`plane app`: what it is asked, what it says, and what is seen of it."""
