"""Samples and the lines that are made of them."""

import statistics
from dataclasses import dataclass, field


class Sample(list):
    """Values of one thing measured repeatedly, all in the same unit."""

    @property
    def median(self):
        return statistics.median(self)

    @property
    def quartiles(self):
        """(low, high); of few values the smallest and the largest."""
        if len(self) < 4:
            return min(self), max(self)
        low, _, high = statistics.quantiles(self, n=4)
        return low, high

    def text(self):
        """The median, and the quartiles as its spread."""
        if len(self) < 4:
            return number(self.median)
        low, high = self.quartiles
        return f'{number(self.median)} [{number(low)}-{number(high)}]'


def number(value):
    if value == 0 or abs(value) >= 100:
        return f'{value:.0f}'
    return f'{value:.2f}' if abs(value) < 10 else f'{value:.1f}'


@dataclass
class Line:
    what: str
    ours: str
    peer: str = ''
    ratio: str = ''
    limit: str = ''
    held: bool = True
    better: str = ''  # a sentence, where the peer is the better one

    @property
    def verdict(self):
        return '' if not self.limit else 'ok' if self.held else 'MISSED'


@dataclass
class Section:
    title: str
    lines: list = field(default_factory=list)


class Table:
    """Prints a line as soon as it is known, and keeps it for the page. `missed` counts the lines over their limit."""

    LINE = '{:<58} {:>22} {:>22} {:>6} {:>13}  {}'

    def __init__(self):
        self.missed = 0
        self.sections = []
        self.absent = []
        self.growth = {}   # (verb, ended or living) -> tool -> number of tasks -> median
        self.seconds = {}  # part -> how long it took

    def head(self, title):
        self.sections.append(Section(title))
        print(f'\n{title}')
        print(self.LINE.format('', 'bgt [quartiles]', 'peer [quartiles]', 'ratio', 'limit', ''), flush=True)

    def beside(self, what, ours, peer, most=None, least=None, more=False, why=''):
        """One line: `ours` beside `peer`, with a limit on the ratio of their medians. `more` (or a `least`): the larger
        value is the better one; `why` says what makes the peer better, should it be."""
        ratio = ours.median / peer.median if peer.median else float(ours.median == 0) or float('inf')
        limit = f'<= {most}x' if most else f'>= {least}x' if least else ''
        held = (most is None or ratio <= most) and (least is None or ratio >= least)
        better = ''
        if (ratio < 1) if more or least else (ratio > 1):
            apart = separate(ours, peer)
            better = f'{number(ours.median)} to {number(peer.median)}{"" if apart else ", within the spread"}. {why}'.strip()
        self._line(Line(what, ours.text(), peer.text(), f'{ratio:.2f}', limit, held, better))

    def against_itself(self, what, ours, base, most=None):
        """One line: bgt in one state beside bgt in another."""
        ratio = ours.median / base.median
        self._line(Line(what, ours.text(), base.text(), f'{ratio:.2f}', f'<= {most}x' if most else '',
                        most is None or ratio <= most))

    def alone(self, what, ours, most=None, unit='ms'):
        """One line with an absolute limit on the median."""
        limit = '' if most is None else f'<= {number(most)} {unit}'.rstrip()
        self._line(Line(f'{what} ({unit})' if unit else what, ours.text(), limit=limit,
                        held=most is None or ours.median <= most))

    def missing(self, what, why='not installed'):
        if what not in self.absent:
            self.absent.append(what)
            print(f'{what}: {why}, left out', flush=True)

    def _line(self, line):
        self.missed += not line.held
        self.sections[-1].lines.append(line)
        print(self.LINE.format(line.what, line.ours, line.peer, line.ratio, line.limit, line.verdict).rstrip(), flush=True)


def separate(one, other):
    """Whether the middle halves of two samples do not overlap."""
    (low, high), (other_low, other_high) = one.quartiles, other.quartiles
    return low > other_high or high < other_low
