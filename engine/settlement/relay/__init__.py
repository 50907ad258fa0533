"""Between venue and contracts: client, relayer, watcher, costs, verifiers of a venue."""
