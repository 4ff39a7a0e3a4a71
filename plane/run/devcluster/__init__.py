"""A real Kubernetes control plane on this machine, for demo, tests and benchmarks.

`clusters` starts, finds and stops; `commands` is its face on the command line; `supervisor` is the process that owns one cluster's parts.
Nothing here imitates Kubernetes: what the parts do not do, a development cluster does not do. Only the nodes are played (kwok).
"""
