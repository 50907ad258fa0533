"""What lies in a data folder: journal, checkpoints, proof files, checks and lock of the folder."""
