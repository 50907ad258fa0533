"""The named stories, by what they are about."""
