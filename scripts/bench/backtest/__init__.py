"""Bar-steps a second of the whole pipeline, beside backtesting.py and nautilus_trader on the same bars and rule."""
