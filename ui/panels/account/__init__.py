"""The account panel: figures, and the form that moves money in and out."""
