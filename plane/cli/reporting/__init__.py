"""What policy found, in the forms that other programs read. Pure: text out of values, nothing printed, nothing asked."""
