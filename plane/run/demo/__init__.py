"""`plane demo`: the flow on real parts. `world` starts things, `story` is what a person sees, `content/` is what lies in Git."""
