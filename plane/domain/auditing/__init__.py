"""The record: events, their proofs, the forms in which others read them, and where they are sent."""
