"""Policy sets as other tools write them, made ready for OPA: a driver of ours around the authors' modules, which stay as they are."""
