"""`plane demo`: the whole flow on real parts, told line by line. `world` starts things, `story` is what a person sees, `content/` is what lies in Git."""
