"""The defaults, as plugins: registered through the same hooks as any other, with no privileged path."""
