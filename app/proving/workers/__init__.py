"""Who proves: threads, a child process, the members of a Dask cluster."""
