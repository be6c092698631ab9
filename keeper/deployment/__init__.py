"""A vault's deployment as values: its parameters, their hard bounds, its steps, its roles and its record. Pure."""
