"""What make runs, importable by its tests."""
