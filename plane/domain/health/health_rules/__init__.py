"""Health of kinds that other projects bring, as tables: one module per project or family, from its own API documentation. No logic here."""
