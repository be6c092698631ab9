"""Packages as if they were installed: their entry points on the path, without an installer."""

from pathlib import Path


def install(folder: Path, distribution: str, group: str, points: dict[str, str]) -> None:
    """A distribution of this name that registers these entry points; put `folder` on the path."""
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}")
