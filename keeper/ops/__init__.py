"""Operating a keeper: stop it, pause it, ask it, watch it, and keep a second one ready."""
