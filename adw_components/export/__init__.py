"""`python -m adw_components export`: a bundle that needs no repository, for the model zoo or a server of one's own."""
