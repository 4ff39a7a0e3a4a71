"""Postgres and nothing else: tables, transactions in a scope, one module per aggregate. SQL leaves this package as frozen values; no decisions here."""
