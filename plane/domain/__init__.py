"""Pure values and functions: standard library, msgspec and PyYAML's parser. Nothing here opens, waits or logs."""
