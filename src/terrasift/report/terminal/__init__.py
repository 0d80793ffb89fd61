"""Lines and tables for the terminal, 80 columns wide at most."""
