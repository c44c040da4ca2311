"""A line chart as SVG: sizes on a logarithmic x axis, milliseconds on a logarithmic y axis, a line a tool."""

import math
from html import escape

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 110, 38, 40
COLOURS = ('#1f5fbf', '#c2571a', '#2f855a', '#8a4fbf', '#7a7a7a')


def chart(title, x_title, lines):
    """`lines`: name -> {size: milliseconds}. The first is drawn strongest."""
    sizes = sorted({size for line in lines.values() for size in line})
    values = [value for line in lines.values() for value in line.values()]
    low, high = bounds(values)

    def x(size):
        span = math.log10(sizes[-1]) - math.log10(sizes[0]) or 1
        return LEFT + (math.log10(size) - math.log10(sizes[0])) / span * (WIDTH - LEFT - RIGHT)

    def y(value):
        return HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="12" role="img" aria-label="{escape(title)}">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
             text(LEFT, 20, title, size=14, weight='bold'), text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_title, 'middle')]
    parts += grid(low, high, y) + [text(x(size), HEIGHT - BOTTOM + 16, f'{size:,}', 'middle') for size in sizes]
    places = spread({name: y(line[max(line)]) for name, line in lines.items()})
    for i, (name, line) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        points = [(x(size), y(line[size])) for size in sorted(line)]
        path = ' '.join(f'{px:.1f},{py:.1f}' for px, py in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{2 if i else 3}"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="{3 if i else 4}" fill="{colour}"/>' for px, py in points]
        parts.append(text(points[-1][0] + 9, places[name] + 4, f'{name} {short(line[max(line)])}', fill=colour,
                          weight='normal' if i else 'bold'))
    return '\n'.join(parts) + '\n</svg>\n'


def bounds(values):
    """Exponents of ten around all values: at least one whole decade."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def grid(low, high, y):
    """A line at each power of ten, named, and a faint one at its double and its fivefold."""
    parts = []
    for power in range(low, high + 1):
        for factor in (1, 2, 5) if power < high else (1,):
            at = y(factor * 10 ** power)
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" '
                         f'stroke="{"#bbb" if factor == 1 else "#eee"}"/>')
            if factor == 1 or high - low < 3:
                parts.append(text(LEFT - 6, at + 4, short(factor * 10 ** power), 'end', fill='#555'))
    return parts


def spread(places):
    """Moves labels apart that would lie on each other, in the order of their heights."""
    last, moved = -math.inf, {}
    for name, at in sorted(places.items(), key=lambda it: it[1]):
        moved[name] = last = max(at, last + 14)
    return moved


def short(value):
    """A number of milliseconds with its unit."""
    return f'{value:.0f} ms' if value >= 10 else f'{value:.1f} ms' if value >= 1 else f'{value:.2g} ms'


def text(x, y, words, anchor='start', size=12, weight='normal', fill='#222'):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'fill="{fill}">{escape(words)}</text>')
