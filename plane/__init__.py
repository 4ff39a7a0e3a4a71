"""GitOps for many clusters and tenants, in three rings: domain (pure), adapters and store (the world), server and agent (programs)."""
