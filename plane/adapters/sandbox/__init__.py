"""Renders in locked-down processes: `pool` is the plane's side, `template` forks one `cell` per render, `kernel` holds the locks.

`opa_bounds` puts OPA behind the same.
"""
