"""Test vectors: what the venue does with given inputs, as language-neutral JSON (``docs/vectors.md``).

``story`` drives a venue that ``record`` writes down; ``scenarios`` and ``random_flow`` are the stories, ``catalogue``
lists them; ``encoding`` is the JSON; ``fill`` writes the files; ``replay`` builds a venue from a file alone and
holds it to what the file says.
"""
