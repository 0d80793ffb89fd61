"""Named recipes, a YAML file each."""
