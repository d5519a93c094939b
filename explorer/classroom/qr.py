"""A link as a QR code, for a terminal and for a page; the library that makes it is optional."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.errors import ExplorerError

_QUIET = 2
_BLACK_ON_WHITE, _END = "\x1b[30;107m", "\x1b[0m"
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def in_terminal(link: str) -> str:
    """The code in half blocks, black on white in any terminal. Raises ExplorerError without segno."""
    rows = _matrix(link)
    lines = []
    for upper, lower in zip(rows[::2], [*rows[1::2], [False] * len(rows[0])], strict=False):
        line = "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        lines.append(f"{_BLACK_ON_WHITE}{line}{_END}")
    return "\n".join(lines)


def as_svg(link: str, width: int = 240) -> str:
    """The code as a picture with a white margin. Raises ExplorerError without segno."""
    rows = _matrix(link)
    size = len(rows)
    dots = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{width}" height="{width}" '
        f'role="img" aria-label="QR code of the join link" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{dots}" fill="#000"/></svg>'
    )


def _matrix(link: str) -> Sequence[Sequence[bool]]:
    """True is dark; with a quiet margin around."""
    try:
        import segno
    except ImportError:
        fix = 'Install it: pip install "pruning-explorer[class]". The link and the code work without it.'
        raise ExplorerError("There is no QR code.", why="The library segno is not installed.", fix=fix) from None
    rows = [[bool(cell) for cell in row] for row in segno.make(link, error="m", micro=False).matrix]
    empty, side = [False] * (len(rows) + 2 * _QUIET), [False] * _QUIET
    return [*[empty] * _QUIET, *([*side, *row, *side] for row in rows), *[empty] * _QUIET]
