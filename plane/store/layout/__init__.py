"""The tables as SQLAlchemy Core sees them."""
