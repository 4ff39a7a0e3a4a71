"""A management plane for many Kubernetes clusters and many tenants. Three rings: domain (pure), adapters and store (the world), server and agent (programs)."""
