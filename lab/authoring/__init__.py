"""For authors: pages that are played, notebooks that are run, tables that are made."""
