#!/usr/bin/env python3
"""Draws the layers of layers.txt and how many include lines lead from one to another, as a table and as an SVG.

An include that the list forbids is marked: red in the drawing, with "!" in the table.
usage: layers.py SOURCE_FOLDER [SVG]
"""
import collections
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"](?:bgt/)?(\w+)/', re.MULTILINE)
ROW, BOX, MARGIN, LEFT = 54, (150, 30), 40, 230  # pixels; LEFT: room for the arcs of forbidden includes
STYLE = ("text { font: 13px sans-serif; text-anchor: middle; dominant-baseline: central }"
         " .count { font-size: 11px } .bad { fill: #c00 } rect { fill: #eef3fa; stroke: #456 }")


def read_layers(source):
    """Name -> the layers it may include, lowest first."""
    allowed = {}
    for line in (source / "cmake/layers.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, *words = line.split()
        allowed[name] = ({*allowed, name}) - {word[1:] for word in words if word.startswith("-")}
    return allowed


def count_includes(source, layers):
    """(from, to) -> include lines."""
    counts = collections.Counter()
    for layer in layers:
        for folder in (source / "include/bgt" / layer, source / "src" / layer):
            for path in sorted(folder.rglob("*.?pp")):
                for target in INCLUDE.findall(path.read_text()):
                    if target in layers and target != layer:
                        counts[layer, target] += 1
    return counts


def print_table(allowed, counts):
    print("includes".ljust(12) + "".join(layer.rjust(11) for layer in allowed))
    for layer in allowed:
        cells = []
        for target in allowed:
            count = counts[layer, target]
            cells.append((str(count) if count else "") + ("!" if count and target not in allowed[layer] else " "))
        print(layer.ljust(12) + "".join(cell.rjust(11) for cell in cells))


def draw(allowed, counts):
    layers = list(allowed)
    middle = {layer: MARGIN + ROW * (len(layers) - 1 - i) + BOX[1] / 2 for i, layer in enumerate(layers)}
    width, height = LEFT + BOX[0] + 30 * len(layers) + 60, 2 * MARGIN + ROW * (len(layers) - 1) + BOX[1]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">', f"<style>{STYLE}</style>"]
    for color in ("#678", "#c00"):
        parts.append(f'<marker id="m{color[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
                     f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="{color}"/></marker>')
    for (layer, target), count in sorted(counts.items()):
        if not count:
            continue
        good = target in allowed[layer]
        color = "#678" if good else "#c00"
        side, edge = (1, LEFT + BOX[0]) if good else (-1, LEFT)
        # The arcs leave the upper box low and enter the lower box high, so that arrows of both ends stay apart.
        shift = 6 if middle[layer] < middle[target] else -6
        start, end = middle[layer] + shift, middle[target] - shift
        reach = edge + side * (12 + 36 * abs(layers.index(layer) - layers.index(target)))
        thick = 1 + min(count, 60) / 20
        parts.append(f'<path d="M{edge} {start}C{reach} {start} {reach} {end} {edge} {end}" fill="none" '
                     f'stroke="{color}" stroke-width="{thick:.1f}" marker-end="url(#m{color[1:]})"/>')
        parts.append(f'<text class="count{"" if good else " bad"}" x="{edge + (reach - edge) * 0.75 + side * 8}" '
                     f'y="{(start + end) / 2}">{count}</text>')
    for layer, y in middle.items():
        parts.append(f'<rect x="{LEFT}" y="{y - BOX[1] / 2}" width="{BOX[0]}" height="{BOX[1]}" rx="4"/>')
        parts.append(f'<text x="{LEFT + BOX[0] / 2}" y="{y}">{layer}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main(arguments):
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    source = pathlib.Path(arguments[0])
    allowed = read_layers(source)
    counts = count_includes(source, allowed)
    print_table(allowed, counts)
    forbidden = sum(count for (layer, target), count in counts.items() if target not in allowed[layer])
    print(f"{forbidden} forbidden")
    if len(arguments) == 2:
        pathlib.Path(arguments[1]).write_text(draw(allowed, counts))
        print(arguments[1])


main(sys.argv[1:])
