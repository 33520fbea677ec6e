"""The verbs for people with data of their own: from a folder to labels and back."""
