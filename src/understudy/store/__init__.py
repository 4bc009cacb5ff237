"""Where finished work is kept: content-addressed artifacts."""
