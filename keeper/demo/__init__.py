"""The demo: two equal vaults live through one price path; one of them has a keeper."""
