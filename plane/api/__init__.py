"""The plane over HTTP: routes, authentication and problem bodies. Each endpoint calls one use case; none of them decides or queries."""
