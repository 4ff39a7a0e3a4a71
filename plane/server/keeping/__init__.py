"""Documents that people write: what each kind asks of them."""
