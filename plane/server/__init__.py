"""Use cases. One public function is one transaction: it authorises, reads, decides, writes, and appends the audit event."""
