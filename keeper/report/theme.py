"""Colours of charts and page, once: CSS variables on the page, hex values in pictures."""

LIGHT: dict[str, str] = {
    "paper": "#fefefe",
    "ink": "#1c2128",
    "muted": "#667080",
    "grid": "#e4e7eb",
    "market": "#8a94a3",
    "oracle": "#4f46c8",
    "protected": "#0a7d74",
    "unprotected": "#c85a11",
    "danger": "#b3261e",
    "band": "#0b8f85",
    "rebalance": "#2563c9",
}
"""Dark marks on light paper. Every value differs, so that a colour in a drawing names its role."""

DARK: dict[str, str] = {
    "paper": "#11151a",
    "ink": "#e5e8ec",
    "muted": "#98a2b0",
    "grid": "#2a3038",
    "market": "#828d9c",
    "oracle": "#a5a0ff",
    "protected": "#35c9bb",
    "unprotected": "#f59a54",
    "danger": "#ff7b72",
    "band": "#2faea2",
    "rebalance": "#77a8ff",
}
"""The same roles on dark paper."""


def css_variables(colours: dict[str, str]) -> str:
    """As declarations for a CSS rule."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def to_css_roles(svg: str) -> str:
    """A drawing's light colours as CSS variables, so that it follows the page's theme."""
    for name, value in LIGHT.items():
        svg = svg.replace(value, f"var(--{name})")
    return svg
