"""A payment provider, as somebody else would run it:  python -m provider --help"""
