"""What the command line does without a window. Each module has ``run(options) -> exit status``."""
