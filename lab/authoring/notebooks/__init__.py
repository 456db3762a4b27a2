"""Notebooks: run from top to bottom, and written back without what differs each time."""
