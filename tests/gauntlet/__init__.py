"""Every strategy through every scenario, watched at every transaction."""
