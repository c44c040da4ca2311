"""Legitimately idle: services that wait for work. None may be called quiet or stalled, or be ended."""
import os
import pwd
import socket

from harness import PYTHON, Scenario, Skip

ECHO_SERVER = """
import socketserver, sys
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line)
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"""

DAEMON = """
import signal, time
signal.signal(signal.SIGHUP, lambda *_: None)
while True: time.sleep(3600)
"""

NODE_SERVER = "require('http').createServer((q, a) => a.end('hello')).listen(0, '127.0.0.1')"

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def nginx(stage):
    return ["nginx", "-p", str(stage.folder), "-c",
            stage.write("nginx.conf", NGINX.format(folder=stage.folder, port=free_port()))]


def make_cluster(stage):
    """initdb refuses root; Debian keeps it out of PATH."""
    import glob
    import shutil
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [os.path.dirname(shutil.which("initdb") or "")]
    if not found[-1] or not os.path.exists(found[-1] + "/initdb"):
        raise Skip("no initdb")
    stage.values["bin"], stage.values["as"] = found[-1], []
    if os.getuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            raise Skip("no user postgres, and it refuses root") from None
        os.chown(stage.folder, user.pw_uid, user.pw_gid)
        stage.values["as"] = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    stage.run(*stage.values["as"], found[-1] + "/initdb", "-N", "-D", stage.path("data"), cwd=stage.folder)


def postgres(stage):
    return [*stage.values["as"], stage.values["bin"] + "/postgres", "-D", stage.path("data"), "-k", str(stage.folder),
            "-h", "", "-p", "5432"]


def with_idle_client(stage, run):
    """A client that has connected and says nothing."""
    import time
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            client = socket.create_connection(("127.0.0.1", int(stage.values["port"])))
        except OSError:
            time.sleep(0.05)
            continue
        stage.endings.append(client.close)
        return
    raise RuntimeError("the server does not listen")


def take_port(stage):
    stage.values["port"] = free_port()


def idle(name, command, declared=True, **more):
    return Scenario(name, "idle", command, service=True, options=("--service",) if declared else (), **more)


SCENARIOS = [
    idle("redis-server", lambda s: ["redis-server", "--port", free_port(), "--save", "", "--dir", str(s.folder)],
         needs=("redis-server",), verdicts=("idle", "busy")),
    idle("nginx", nginx, needs=("nginx",), verdicts=("idle",)),
    idle("postgres", postgres, setup=make_cluster, verdicts=("idle", "busy")),
    idle("python -m http.server (known)", lambda s: [PYTHON, "-m", "http.server", "--bind", "127.0.0.1", free_port()],
         declared=False, verdicts=("idle",)),
    idle("tail -f (known)", lambda s: ["tail", "-f", s.write("log", "one line\n")], declared=False),
    idle("node --watch (known)", lambda s: ["node", "--watch", s.write("app.js", NODE_SERVER)], needs=("node",),
         declared=False, memory=""),
    idle("node http server", ["node", "-e", NODE_SERVER], needs=("node",), memory="", verdicts=("idle",)),
    idle("sleeping daemon", [PYTHON, "-c", DAEMON]),
    idle("server with an idle client", lambda s: [PYTHON, "-c", ECHO_SERVER, s.values["port"]], setup=take_port,
         during=with_idle_client, verdicts=("idle", "waits-network")),
    idle("server under a shell", lambda s: f"'{PYTHON}' -m http.server --bind 127.0.0.1 {free_port()} & wait", verdicts=("idle",)),
    idle("ssh-agent", lambda s: ["ssh-agent", "-D", "-a", s.path("agent")], needs=("ssh-agent",)),
]
