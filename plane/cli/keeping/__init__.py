"""Commands about documents: clusters, people, places, policies, sources, sinks."""
