"""One line in one picture: an SVG that needs nothing to be drawn or shown."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 240, 60, 40, 40

FONT = 'font-family="sans-serif" font-size="12"'


def plot(title: str, points: Sequence[tuple[float, float]]) -> str:
    """Draws points, from left to right, above an axis that begins at zero."""
    most_x = max(x for x, _ in points) or 1
    most_y = max(y for _, y in points) * 1.2 or 1

    def place(x: float, y: float) -> tuple[float, float]:
        right = LEFT + x / most_x * (WIDTH - LEFT - 20)
        return round(right, 1), round(HEIGHT - BOTTOM - y / most_y * (HEIGHT - BOTTOM - TOP), 1)

    placed = [place(x, y) for x, y in points]
    base = HEIGHT - BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="20">{escape(title)}</text>',
        f'<path d="M{LEFT} {TOP}V{base}H{WIDTH - 20}" fill="none" stroke="black"/>',
        f'<polyline points="{" ".join(f"{x},{y}" for x, y in placed)}" fill="none" stroke="#06c" stroke-width="2"/>',
    ]
    for (x, y), (right, up) in zip(points, placed, strict=True):
        parts.append(f'<circle cx="{right}" cy="{up}" r="3" fill="#06c"/>')
        parts.append(f'<text x="{right}" y="{base + 18}" text-anchor="middle">{x:g}</text>')
        parts.append(f'<text x="{right}" y="{up - 8}" text-anchor="middle">{y:,.0f}</text>')
    return "\n".join([*parts, "</svg>", ""])
