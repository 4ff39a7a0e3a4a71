"""The program in each cluster: it claims tasks from the plane, applies releases, heals drift, and reports. Asynchronous throughout; knows nothing of server, store or their packages."""
