"""Those who prove (a thread, a child process, workers of a Dask cluster) and the pool that gives them work."""
