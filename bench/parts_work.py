"""Reading output, and many short tasks."""

import os

from lab import until
from parts_time import interleaved
from peers import starters
from services import Pm2
from table import Sample

SIZE = 100 * 10 ** 6
SHORT = 50


def logs(lab, table, plan):
    table.head('logs: of 100 MB of output in lines of 64 bytes (ms)')
    root = lab.root('logs')
    pour = [lab.worker, 'pour', str(SIZE)]
    task = lab.call(*lab.at(root, 'run', '--', *pour))
    lab.call(*lab.at(root, 'wait', task))
    log = os.path.join(root, 'tasks', task, 'out.log')
    needle = 'yzab'  # is in every line; `nothing` in none
    commands = {'bgt': lab.at(root, 'logs', task), 'cat': ['cat', log],
                'bgt -n': lab.at(root, 'logs', '-n', '10', task), 'tail': ['tail', '-n', '10', log],
                'bgt none': lab.at(root, 'logs', '--grep', 'nothing', task),
                'grep none': ['sh', '-c', f'grep nothing {log}; :'],
                'bgt all': lab.at(root, 'logs', '--grep', needle, task), 'grep all': ['grep', needle, log],
                'bgt raw': lab.at(root, 'logs', '--raw', task)}
    if lab.has('tsp'):
        starters(lab)  # its server
        other = lab.call('tsp', *pour)
        lab.call('tsp', '-w', other)
        commands |= {'tsp -c': ['tsp', '-c', other], 'tsp -t': ['tsp', '-t', other]}
    if lab.has('pm2'):
        service = Pm2(lab, 'logs', f'{lab.worker} pour {SIZE}; exec sleep 99999')  # pm2 loses output of what has ended
        service.start()
        folder = os.path.join(lab.env['PM2_HOME'], 'logs')
        until(lambda: sum(os.path.getsize(f'{folder}/{name}') for name in os.listdir(folder)) >= SIZE, 'the log of pm2')
        commands['pm2 logs'] = ['pm2', 'logs', 'bench0', '--nostream', '--raw', '--lines', '10']
    sizes = {}

    def read(name):
        took, sizes[name] = lab.drained(commands[name])
        return took

    took = interleaved(plan.slow, {name: lambda name=name: read(name) for name in commands})
    for name, expected in {'bgt': SIZE, 'bgt raw': SIZE, 'cat': SIZE, 'bgt all': sizes['grep all'], 'bgt none': 0}.items():
        if sizes[name] != expected:
            raise RuntimeError(f'{" ".join(commands[name])} gave {sizes[name]} bytes, not {expected}')
    table.beside('all of it, beside cat of the file', took['bgt'], took['cat'], why=RENDERED)
    table.beside('all of it, --raw, beside cat of the file', took['bgt raw'], took['cat'])
    table.beside('-n 10 beside tail -n 10 of the file', took['bgt -n'], took['tail'])
    table.beside('--grep that matches no line, beside grep', took['bgt none'], took['grep none'], why=GREP)
    table.beside('--grep that matches every line, beside grep', took['bgt all'], took['grep all'], why=GREP)
    for name, ours in (('tsp -c', 'bgt'), ('tsp -t', 'bgt -n'), ('pm2 logs', 'bgt -n')):
        if name in took:
            table.beside(f'{"all of it" if ours == "bgt" else "-n 10"}, beside {name}', took[ours], took[name],
                         why=RENDERED if ours == 'bgt' else '')
    if lab.has('pm2'):
        service.close()
    lab.remove_root(root)


RENDERED = 'cat copies bytes without a look at them; bgt logs knows where lines begin and which of them it may show.'
GREP = 'GNU grep searches whole blocks for one word of the pattern; bgt looks at each line, which it must render first.'


def short(lab, table, plan):
    table.head(f'short tasks a second: {SHORT} times true, from the first start to the last end')
    root = lab.root('short', 10)
    for title, lines in ways(lab, f'"{lab.bgt}" --root {root}').items():
        rates = interleaved(plan.slow, {name: lambda line=line: rate(lab, line) for name, line in lines.items()})
        for name in lines:
            if name != 'bgt':
                table.beside(f'{title}, beside {name}', rates['bgt'], rates[name], more=True, why=NOT_KEPT.get(name, KEPT))
    lab.remove_root(root)


GROUP = 'short'  # of pueue: a wait for its default group would wait for what other parts have left running there


def ways(lab, bgt):
    """How the tasks are started -> tool -> a shell's command line."""
    kept = f'{bgt} run --wait --rm -- true'
    one = {'bgt': repeat(kept), 'timeout 100 true': repeat('timeout 100 true'),
           'setsid -w true': repeat('setsid -w true'), 'nohup true': repeat('nohup true 2> /dev/null')}
    queued = {'bgt': f'ids=; {repeat(f"""ids="$ids $({bgt} run -- true)" """)}; {bgt} wait $ids; {bgt} rm $ids > /dev/null'}
    eight = {'bgt': f'seq {SHORT} | xargs -P 8 -I{{}} {kept}', 'xargs -P 8 alone': f'seq {SHORT} | xargs -P 8 -I{{}} true'}
    if lab.has('tsp'):
        starters(lab)
        start = repeat('tsp true > /dev/null')
        queued['tsp'] = f'tsp -S 1; {start}; tsp -w; tsp -C'
        eight['tsp -S 8'] = f'tsp -S 8; {start}; tsp -N 8 true > /dev/null; tsp -w; tsp -C; tsp -S 1'
    if lab.has('nq'):
        queued['nq'] = f'{repeat("nq true > /dev/null")}; nq -w; rm -f "$NQDIR"/,*'
    if lab.has('parallel'):
        one['parallel -j 1'] = f'seq {SHORT} | parallel --will-cite -j 1 -N 0 true'
        eight['parallel -j 8'] = f'seq {SHORT} | parallel --will-cite -j 8 -N 0 true'
    if pueue := starters(lab).get('pueue'):
        call = ' '.join(pueue.words())
        lab.call(*pueue.words('group', 'add', GROUP))
        for lines, slots in ((queued, 1), (eight, 8)):
            lines['pueue'] = (f'{call} parallel -g {GROUP} {slots} > /dev/null; '
                              f'{repeat(f"{call} add -g {GROUP} -- true > /dev/null")}; '
                              f'{call} wait -q -g {GROUP}; {call} clean -g {GROUP} > /dev/null')
    return {'one after another': one, 'all started, then waited for': queued, '8 at once': eight}


def repeat(words):
    return f'i=0; while [ $i -lt {SHORT} ]; do {words}; i=$((i+1)); done'


def rate(lab, line):
    return SHORT * 1000 / lab.time(['sh', '-c', line])[0]


NOTHING = 'It keeps nothing: neither output nor how the command ended.'
NOT_KEPT = dict.fromkeys(('timeout 100 true', 'setsid -w true', 'nohup true', 'xargs -P 8 alone'), NOTHING)
KEPT = 'It makes no folder and no supervisor for each task, and keeps what it knows in memory or in one file.'
