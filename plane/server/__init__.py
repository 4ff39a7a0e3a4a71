"""Use cases. One public function is one transaction: it authorises, reads, decides with domain functions, writes, and appends the audit event."""
