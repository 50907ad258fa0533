"""Key files of users and of the venue's roles."""
