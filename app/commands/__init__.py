"""The commands that need no window. Each module declares one, as ``COMMAND``; :mod:`app.commands.registry` finds them.

Importing one must stay light: whatever loads kernels is imported when the command runs.
"""
