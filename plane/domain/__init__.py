"""Pure values and functions: standard library, msgspec and PyYAML's parser. Time and ids are arguments; nothing here opens, waits or logs."""
