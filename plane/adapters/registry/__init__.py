"""OCI registries, read and never written: guarded requests, one log-in per look, digests checked, cosign's signatures by key."""
