"""Postgres and nothing else: tables, transactions in a scope, one module per aggregate. Frozen values leave it; no decisions here."""
