"""What happened, for people: samples become a summary, charts and one self-contained page."""
