"""What people see of an app: its tree, the way of its traffic, its logs."""
