"""The local page: a scene and its maps in the browser, where clusters get their names."""
