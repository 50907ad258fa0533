"""The crash tests' child process; later, injected faults as declared inputs."""
