"""The program in each cluster: it claims tasks from the plane, applies releases, heals drift, and reports.

Asynchronous throughout. Knows nothing of server, store or their packages; what it must not lose is in the cluster or on its disk.
"""
