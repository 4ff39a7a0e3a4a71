"""From a task to a changed cluster: plan, guard, rehearsal, waves, hooks, writes and what the API server says of them."""
