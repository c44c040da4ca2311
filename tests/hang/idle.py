"""Legitimately idle: services that wait for work. None may be called quiet or stalled, or be ended. Each is also played
as a job: then both must be told, which shows that the notices were armed and that only the kind keeps them away."""
import glob
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import threading
import time

from harness import PYTHON, Scenario, Skip

ECHO_SERVER = """
import socketserver, sys
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line)
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"""

DAEMON = """
import os, signal, socket, time
signal.signal(signal.SIGHUP, lambda *_: None)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True: time.sleep(3600)
"""

NODE_SERVER = "require('http').createServer((q, a) => a.end('hello')).listen(0, '127.0.0.1')"

NGINX = """
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

PACKAGE = """{"name":"web","private":true,"version":"0.0.0","type":"module","scripts":{"dev":"vite"},
"devDependencies":{"vite":"^5"}}"""
VITE_CONFIG = "export default { server: { host: '127.0.0.1', port: Number(process.env.PORT), strictPort: true } }\n"

install_lock = threading.Lock()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def nginx(stage):
    return ["nginx", "-g", "daemon off;", "-p", str(stage.folder), "-c",
            stage.write("nginx.conf", NGINX.format(folder=stage.folder, port=free_port()))]


def make_cluster(stage):
    """initdb refuses root; Debian keeps it out of PATH."""
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


def make_vite_project(stage):
    """Installed from the registry, once a build folder; the real tests use the same project."""
    project = pathlib.Path(stage.lab.fixture).parent.parent / "vite-project"
    stage.values["project"], stage.values["port"] = str(project), free_port()
    with install_lock:
        if (project / "installed").exists():
            return
        try:
            project.mkdir(exist_ok=True)
            (project / "package.json").write_text(PACKAGE)
            (project / "index.html").write_text("<!doctype html><script type=\"module\" src=\"/main.js\"></script>\n")
            (project / "main.js").write_text("document.title = 'ready'\n")
            (project / "vite.config.js").write_text(VITE_CONFIG)
            stage.run("npm", "install", "--no-audit", "--no-fund", cwd=project)
            (project / "installed").write_text("")
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Skip(f"vite could not be installed: {error}") from None


def in_vite_project(stage):
    return "--cwd", stage.values["project"], "--env", "PORT=" + stage.values["port"]


def with_idle_client(stage, run):
    """A client that has connected and says nothing."""
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


def nothing(_):
    return ()


def both(name, command, ready=nothing, place=nothing, **more):
    """Where the built-in list does not know the command, an option of readiness makes it a service."""
    return (Scenario(name, "idle", command, service=True, options=lambda s: (*place(s), *ready(s)), **more),
            Scenario(f"{name}, as a job", "job", command, told=True, options=lambda s: (*place(s), "--job"), **more))


def any_port(_):
    return "--ready-port", "any"


IDLE = ("idle",)

SCENARIOS = [
    *both("redis-server", lambda s: ["redis-server", "--port", free_port(), "--save", "", "--dir", str(s.folder)],
          needs=("redis-server",), verdicts=("idle", "busy")),
    *both("nginx", nginx, needs=("nginx",), verdicts=IDLE),
    *both("postgres", postgres, setup=make_cluster, verdicts=("idle", "busy")),
    *both("vite, by npm run dev", ["npm", "run", "dev"], place=in_vite_project, setup=make_vite_project,
          needs=("npm", "node"), memory="", startup=6.0),
    *both("python -m http.server", lambda s: [PYTHON, "-m", "http.server", "--bind", "127.0.0.1", free_port()],
          verdicts=IDLE),
    *both("tail -f", lambda s: ["tail", "-f", s.write("log", "one line\n")]),
    *both("node --watch", lambda s: ["node", "--watch", s.write("app.js", NODE_SERVER)], needs=("node",), memory="",
          startup=2.0),
    *both("node http server", ["node", "-e", NODE_SERVER], any_port, needs=("node",), memory="", verdicts=IDLE),
    *both("sleeping daemon", [PYTHON, "-c", DAEMON], lambda s: ("--ready-notify",)),
    *both("server with an idle client", lambda s: [PYTHON, "-c", ECHO_SERVER, s.values["port"]], any_port,
          setup=take_port, during=with_idle_client, verdicts=("idle", "waits-network")),
    *both("server under a shell", lambda s: f"'{PYTHON}' -m http.server --bind 127.0.0.1 {free_port()} & wait",
          any_port, verdicts=IDLE),
    *both("ssh-agent", lambda s: ["ssh-agent", "-D", "-a", s.path("agent")],
          lambda s: ("--ready-cmd", f"test -S {s.path('agent')}"), needs=("ssh-agent",)),
]
