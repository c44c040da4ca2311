"""Supervisors of services: tools that keep a watcher running, which starts and stops what it was told of beforehand.

Each class has what it needs running when it is made, with `count` services down; start() and stop() give milliseconds
until the tool says that all of them are up or down; each is started once, not again when it ends.
"""

import os
import signal
import stat

from lab import until
from process_table import command_line, processes


def executable(path, script):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\n{script}\n')
    os.chmod(path, stat.S_IRWXU)
    return path


def for_each(items, *words):
    """A command line that calls words with each of the items as the last word: tools that take one service a call."""
    if len(items) == 1:
        return [*words, items[0]]
    line = ' '.join(f"'{word}'" for word in words)
    return ['sh', '-c', f'for it; do {line} "$it" || exit; done', 'sh', *items]


class Service:
    name = ''         # in the table
    program = ''      # what must be installed, and watches
    start_name = ''   # what start() calls, as the table tells it
    stop_name = ''
    status_name = ''

    def __init__(self, lab, tag, script, count=1):
        self.lab = lab
        self.base = lab.place(f'{type(self).__name__}-{tag}')
        self.scripts = [script] * count
        self.set_up()

    def start(self):
        return self.lab.time(self.start_words())[0]

    def stop(self):
        return self.lab.time(self.stop_words())[0]

    def begin(self):
        """Starts what may have ended before the tool looks whether it is up."""
        self.lab.time(self.start_words())


class Folders(Service):
    """What s6 and runit have in common: a process and a folder a service."""

    def set_up(self):
        self.folders, self.pids = [], []
        for i, script in enumerate(self.scripts):
            folder = os.path.join(self.base, str(i))
            os.mkdir(folder)
            executable(os.path.join(folder, 'run'), script)
            open(os.path.join(folder, 'down'), 'wb').close()
            self.folders.append(folder)
            self.pids.append(self.lab.child([self.program, folder]))
        for folder in self.folders:
            until(lambda path=f'{folder}/supervise/control': os.path.exists(path), f'{self.program} to listen')
        # The control FIFO is there a moment before it is listened to: only an answer tells.
        until(lambda: self.lab.status(self.status_words()) == 0, f'{self.program} to answer')

    def watcher(self):
        return self.pids[0]

    def close(self):
        """Both bring their service down when they are asked to end."""
        for pid in self.pids:
            self.lab.stop_child(pid)


class S6(Folders):
    name, program = 's6', 's6-supervise'
    status_name, stop_name, start_name = 's6-svstat', 's6-svc -wD -d', 's6-svc -wu -o'

    def start_words(self):
        return for_each(self.folders, 's6-svc', '-wu', '-o')

    def stop_words(self):
        return for_each(self.folders, 's6-svc', '-wD', '-d')

    def status_words(self):
        return for_each(self.folders, 's6-svstat')

    def wait_words(self):
        return ['s6-svwait', '-D', self.folders[0]]


class Runit(Folders):
    name, program = 'runit', 'runsv'
    status_name, stop_name, start_name = 'sv status', 'sv stop', 'sv start'

    def start_words(self):
        return ['sv', 'start', *self.folders]

    def begin(self):
        self.lab.time(['sv', 'once', *self.folders])  # sv start looks after a while, and wants it up then

    def stop_words(self):
        return ['sv', 'stop', *self.folders]

    def status_words(self):
        return ['sv', 'status', *self.folders]


class Supervisord(Service):
    name, program = 'supervisord', 'supervisord'
    status_name, stop_name, start_name = 'supervisorctl status', 'supervisorctl stop', 'supervisorctl start'
    group_flags = 'false'

    def set_up(self):
        lines = ['[unix_http_server]', f'file={self.base}/socket', '[supervisord]', 'nodaemon=true', 'minfds=256',
                 f'logfile={self.base}/log', f'pidfile={self.base}/pid', f'childlogdir={self.base}', '[supervisorctl]',
                 f'serverurl=unix://{self.base}/socket', '[rpcinterface:supervisor]',
                 'supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface']
        for i, script in enumerate(self.scripts):
            lines += [f'[program:bench{i}]', f'command={executable(f"{self.base}/run{i}", script)}', 'autostart=false',
                      'autorestart=false', 'startsecs=0', f'stopasgroup={self.group_flags}',
                      f'killasgroup={self.group_flags}']
        self.config = os.path.join(self.base, 'config')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '\n')
        self.pid = self.lab.child(['supervisord', '-c', self.config])
        until(lambda: os.path.exists(f'{self.base}/socket'), 'supervisord to listen')

    def control(self, *words):
        return ['supervisorctl', '-c', self.config, *words]

    def start_words(self):
        return self.control('start', 'all')

    def stop_words(self):
        return self.control('stop', 'all')

    def status_words(self):
        return self.control('status')

    def watcher(self):
        return self.pid

    def close(self):
        self.lab.stop_child(self.pid)


class SupervisordGroups(Supervisord):
    name, stop_name = 'supervisord with stopasgroup, killasgroup', 'supervisorctl stop'
    group_flags = 'true'


class Pm2(Service):
    """pm2 with a daemon of its own, which is far slower than the others, so measured less often."""
    name, program = 'pm2', 'pm2'
    status_name, stop_name, start_name = 'pm2 list', 'pm2 stop', 'pm2 start'
    daemons = set()

    def set_up(self):
        if self.lab not in Pm2.daemons:
            Pm2.daemons.add(self.lab)
            self.lab.call('pm2', 'ping')
            self.lab.at_end.append(self.end_daemon)
        apps = ', '.join(
            f'{{name: "bench{i}", script: "{executable(f"{self.base}/run{i}", script)}", interpreter: "none",'
            f' autorestart: false}}' for i, script in enumerate(self.scripts))
        self.config = os.path.join(self.base, 'apps.config.js')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(f'module.exports = {{apps: [{apps}]}}\n')

    def start_words(self):
        return ['pm2', 'start', self.config]

    def stop_words(self):
        return ['pm2', 'stop', self.config]

    def status_words(self):
        return ['pm2', 'list']

    def watcher(self):
        with open(os.path.join(self.lab.env['PM2_HOME'], 'pm2.pid'), encoding='utf-8') as file:
            return int(file.read())

    def close(self):
        self.lab.call('pm2', 'delete', self.config)

    def end_daemon(self):
        """`pm2 kill` of a daemon that is too busy to answer starts another one."""
        self.lab.call('pm2', '-s', 'kill')
        for pid in processes():
            if self.lab.env['PM2_HOME'] in command_line(pid):
                os.kill(pid, signal.SIGKILL)


class ProcessCompose(Service):
    """process-compose without its screen, on a socket of its own."""
    name, program = 'process-compose', 'process-compose'
    status_name, stop_name, start_name = ('process-compose process list', 'process-compose process stop',
                                          'process-compose process start')

    def set_up(self):
        self.config = os.path.join(self.base, 'process-compose.yaml')
        self.names = [f'bench{i}' for i in range(len(self.scripts))]
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('version: "0.5"\nprocesses:\n')
            for name, script in zip(self.names, self.scripts):
                run = executable(os.path.join(self.base, f'run-{name}'), script)
                file.write(f'  {name}:\n    command: exec {run}\n    disabled: true\n')
        self.pid = self.lab.child(self.control('up', '-f', self.config, '-t=false', '--keep-project',
                                               '-L', f'{self.base}/log'))
        until(lambda: self.lab.status(self.status_words()) == 0, 'process-compose to answer')

    def control(self, *words):
        return ['process-compose', '-U', '-u', f'{self.base}/socket', *words]

    def start_words(self):
        return for_each(self.names, *self.control('process', 'start'))

    def stop_words(self):
        return for_each(self.names, *self.control('process', 'stop'))

    def status_words(self):
        return self.control('process', 'list')

    def watcher(self):
        return self.pid

    def close(self):
        self.lab.stop_child(self.pid)


KNOWN = (S6, Runit, Supervisord, Pm2, ProcessCompose)


def installed(lab, table, known=KNOWN):
    """The classes whose tool is there; the others are named in the table."""
    for kind in known:
        if not lab.has(kind.program):
            table.missing(kind.name)
    return [kind for kind in known if lab.has(kind.program)]
