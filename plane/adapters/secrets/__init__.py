"""Values that nobody may read: opened, wrapped, sealed, compared."""
