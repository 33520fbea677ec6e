"""The paper as commands: `python -m jaxsel.reproduce FIGURE`."""
