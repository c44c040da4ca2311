"""Samples and the lines that are made of them."""

import statistics


class Sample(list):
    """Values of one thing measured repeatedly, all in the same unit."""

    @property
    def median(self):
        return statistics.median(self)

    def text(self):
        """The median, and the quartiles as its spread."""
        if len(self) < 4:
            return number(self.median)
        low, _, high = statistics.quantiles(self, n=4)
        return f'{number(self.median)} [{number(low)}-{number(high)}]'


def number(value):
    if value == 0 or abs(value) >= 100:
        return f'{value:.0f}'
    return f'{value:.2f}' if abs(value) < 10 else f'{value:.1f}'


class Table:
    """Prints a line as soon as it is known. `missed` counts the lines over their limit."""

    LINE = '{:<58} {:>22} {:>22} {:>6} {:>13}  {}'

    def __init__(self):
        self.missed = 0

    def head(self, title):
        print(f'\n{title}')
        print(self.LINE.format('', 'bgt [quartiles]', 'peer [quartiles]', 'ratio', 'limit', ''), flush=True)

    def beside(self, what, ours, peer, most=None, least=None):
        """One line: `ours` beside `peer`, with a limit on the ratio of their medians."""
        ratio = ours.median / peer.median if peer.median else float('inf')
        limit = f'<= {most}x' if most else f'>= {least}x' if least else ''
        held = (most is None or ratio <= most) and (least is None or ratio >= least)
        self._line(what, ours.text(), peer.text(), f'{ratio:.2f}', limit, held)

    def alone(self, what, ours, most=None, unit='ms'):
        """One line with an absolute limit on the median."""
        limit = '' if most is None else f'<= {number(most)} {unit}'
        held = most is None or ours.median <= most
        self._line(f'{what} ({unit})', ours.text(), '', '', limit, held)

    def missing(self, what):
        print(f'{what}: not installed, left out', flush=True)

    def _line(self, what, ours, peer, ratio, limit, held):
        self.missed += not held
        verdict = '' if not limit else 'ok' if held else 'MISSED'
        print(self.LINE.format(what, ours, peer, ratio, limit, verdict).rstrip(), flush=True)
