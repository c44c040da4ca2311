"""What every scenario needs: its description, a state root of its own, one run under bgt's eyes, and the judgement."""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
from process_table import children  # noqa: E402, F401  (edges.py asks for it)

PYTHON = sys.executable
LOOK = 0.1          # seconds between two looks at the size of a log
NOISE = 1.0         # what a loaded machine may add to a date
NO_OUTPUT_SLACK = 0.2

# Verdicts that blame a task. Of one that works or serves, none may be said.
BLAMES = ("waiting-input", "stopped", "deadlock", "unkillable", "waits-lock", "waits-pipe-reader", "zombie-parent",
          "spinning")


class Skip(Exception):
    """The scenario can't be played here; the text says why."""


@dataclasses.dataclass
class Scenario:
    name: str
    group: str                  # busy, idle, job, stuck, edge
    command: object             # a list, a text for the shell, or a function of the Stage that gives one of them
    stuck: bool = False         # must be ended by the rule; otherwise it must be left alone
    told: bool = False          # no rule of the user's: must be called quiet and stalled, and left alone
    limit: float = 2.0          # seconds
    rule: str = "progress-timeout"
    options: object = ()        # of `bgt run`; or a function of the Stage that gives them
    verdicts: tuple = ()        # of which the report must give one; empty: any that does not blame
    words: tuple = ()           # the sentence must hold them
    needs: tuple = ()           # programs
    heavy: bool = False         # takes a core
    service: bool = False       # no rule of the user's: must be known as a service, and called nothing
    asks: bool = False          # it waits for input in between, so that a notice with a report is right
    startup: float = 0.5        # seconds before it gets stuck
    memory: str = "4GiB"
    setup: object = None        # called with the Stage before the run
    during: object = None       # called with the Stage and the run after its start
    check: object = None        # called with the Run; gives what is wrong, or nothing
    skip: str = ""              # why it can't be played anywhere
    known: str = ""             # bgt is known to answer wrongly here, and why: told and counted apart


@dataclasses.dataclass
class Row:
    scenario: Scenario
    skipped: str = ""
    wrong: str = ""             # what was not as it must be
    answer: str = ""            # bgt's
    evidence: str = ""          # where it was wrong
    no_output_ended: bool = False

    @property
    def no_output_right(self):
        return self.no_output_ended == self.scenario.stuck


class Stage:
    """The folder and the helpers of one scenario; all helpers end with it."""

    def __init__(self, lab, name):
        self.lab = lab
        self.folder = lab.folder / "".join(c if c.isalnum() else "-" for c in name)
        self.folder.mkdir()
        self.values = {}
        self.endings = []
        self.releases = []  # what must be before the task can be ended

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.path(name)

    def start(self, *command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **options)
        self.endings.append(lambda: (process.kill(), process.wait()))
        return process

    def run(self, *command, **options):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, **options)
        if done.returncode != 0:
            raise Skip(f"{command[0]}: {done.stderr.strip()[-80:]}")
        return done.stdout

    def close(self):
        for end in reversed(self.endings):
            end()
        shutil.rmtree(self.folder, ignore_errors=True)


class Lab:
    def __init__(self, bgt, fixture, folder, prefix=()):
        self.bgt, self.fixture, self.prefix = bgt, fixture, prefix
        self.record = None
        self.folder = pathlib.Path(folder)
        self.root = self.folder / "root"
        self.root.mkdir(mode=0o700)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("BGT_") and k != "NOTIFY_SOCKET"}

    def call(self, verb, *words):
        done = subprocess.run([*self.prefix, self.bgt, verb, "--root", str(self.root), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                              env=self.environment, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def json(self, verb, *words):
        code, out, err = self.call(verb, "--json", *words)
        try:
            return json.loads(out)
        except ValueError:
            return {"error": err.strip() or f"exit {code}"}


class Run:
    """One task, watched from its start: when its output fell silent, and for how long."""

    def __init__(self, lab, scenario, options, command):
        options = list(options)
        if scenario.service or scenario.told:
            options += ["--quiet-after", f"{scenario.limit}s", "--stalled-after", f"{scenario.limit}s"]
        else:
            options += [f"--{scenario.rule}", f"{scenario.limit}s"]
        if scenario.memory:
            options += ["--memory-max", scenario.memory]
        words = ["--shell", command] if isinstance(command, str) else ["--", *command]
        self.lab, self.scenario = lab, scenario
        self.began = self.last_byte = time.monotonic()
        code, out, err = lab.call("run", "--grace", "500ms", *options, *words)
        if code != 0:
            raise RuntimeError(f"bgt run: {err.strip()}")
        self.id = out.strip()
        self.longest_silence = 0.0
        self.starved = 0.0  # seconds that its supervisor waited for a core
        self.size = 0
        self.state = self.show()
        self.log = self.state["log"]["path"]

    def show(self):
        return self.lab.json("show", self.id)["tasks"][0]

    @property
    def age(self):
        return time.monotonic() - self.began

    @property
    def ended(self):
        return self.state["lifecycle"] == "ended"

    @property
    def told(self):
        return {"quiet", "stalled"} <= set(self.state["notices"])

    def take_delay(self):
        """man 5 proc: schedstat. In another namespace of pids it can't be found."""
        try:
            self.starved = int(pathlib.Path(f"/proc/{self.state['supervisor']}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            pass

    def watch(self, seconds):
        """For so long, or until it has ended, or was told of where that is what it must be."""
        deadline = time.monotonic() + seconds
        rounds = 0
        while time.monotonic() < deadline and not self.ended and not (self.scenario.told and self.told):
            time.sleep(LOOK)
            now = time.monotonic()
            size = os.path.getsize(self.log) if os.path.exists(self.log) else 0
            if size > self.size:
                self.size, self.last_byte = size, now
            self.longest_silence = max(self.longest_silence, now - self.last_byte)
            rounds += 1
            if rounds % 3 == 0:
                self.take_delay()
                self.state = self.show()
        self.state = self.show()

    def report(self, last):
        answer = self.lab.json("why", "--full", *(["--last"] if last else []), self.id)
        reports = answer.get("reports") or []
        return reports[0] if reports else None

    def keep_sample(self):
        """For the test that replays it without the program."""
        report = self.report(last=self.scenario.stuck)
        if not report:
            return
        name = "".join(c if c.isalnum() else "-" for c in self.scenario.name).strip("-").replace("--", "-")
        sample = {"scenario": self.scenario.name, "verdict": report["verdict"], "words": list(self.scenario.words),
                  "report": report}
        self.lab.record.mkdir(parents=True, exist_ok=True)
        text = json.dumps(sample, indent=1, ensure_ascii=False).replace(str(self.lab.folder), "/lab")
        # Nothing of the machine on which it was recorded.
        build, source = pathlib.Path(self.lab.fixture).parents[1], pathlib.Path(__file__).parents[2]
        for path, name_of_it in ((PYTHON, "python3"), (os.path.realpath(PYTHON), "python3"), (build, "/build"),
                                 (source, "/source")):
            text = text.replace(str(path), name_of_it)
        (self.lab.record / f"{name}.json").write_text(text + "\n")

    def no_output_would_end(self):
        return self.longest_silence >= self.scenario.limit - NO_OUTPUT_SLACK

    def last_words(self):
        return pathlib.Path(self.log).read_text(errors="replace").strip()[-160:] if os.path.exists(self.log) else ""

    def evidence(self):
        """What a look back at a wrong answer needs: whether it was starved, and who did what."""
        report = self.report(last=True)
        starved = f"its supervisor waited {self.starved:.1f} s for a core in {self.age:.0f} s"
        if not report:
            return f"{starved}, no report; {self.last_words()}"
        ages = ", ".join(f"{name} {age}" for name, age in report["ages"].items() if age is not None)
        shown = [f"{p['comm']} {p['state']} {'+'.join(t['call_name'] or t['call'] for t in p['threads'][:3])}"
                 for p in report["evidence"]["processes"][:6]]
        return (f"{starved}, load {os.getloadavg()[0]:.0f}; rule {report['rule']}, activity {report['activity']}, "
                f"ages {ages}; {', '.join(shown)}")

    def end(self):
        self.lab.call("kill", "--now", self.id)


def judge_stuck(run):
    scenario, outcome = run.scenario, run.state["outcome"]
    report = run.report(last=True)
    said = report["sentence"] if report else "no report"
    if not run.ended:
        fresh = run.report(last=False)
        return "missed: " + (fresh["sentence"] if fresh else "?"), f"not ended within {2 * scenario.limit:g} s"
    answer = f"{outcome['reason']} after {run.state['duration_s']:.1f} s: {said}"
    latest = 2 * scenario.limit + scenario.startup + NOISE
    if outcome["reason"] != scenario.rule or outcome["exit_code"] != 120:
        return answer, "ended by something else"
    if run.state["duration_s"] > latest:
        return answer, f"later than {latest:g} s"
    if not report:
        return answer, "no report"
    if report["rule"] != scenario.rule:
        return answer, "the report names another rule"
    if scenario.verdicts and report["verdict"] not in scenario.verdicts:
        return answer, f"verdict {report['verdict']}, not {' or '.join(scenario.verdicts)}"
    missing = [word for word in scenario.words if word not in report["sentence"]]
    return answer, f"the sentence lacks {missing}" if missing else ""


def judge_told(run):
    """That a service can be accused is seen where it is called a job: bgt tells, and ends nobody."""
    scenario, report = run.scenario, run.report(last=True)
    if run.ended:
        return f"{run.state['outcome']['reason']}", "ended, but nobody had asked for that"
    answer = f"{', '.join(run.state['notices'])}: {report['sentence'] if report else 'no report'}"
    if not run.told:
        return answer, "it was not told of"
    if run.state["kind"] != "job" or not report or report["rule"]:
        return answer, f"kind {run.state['kind']}, rule {report and report['rule']}"
    if scenario.verdicts and report["verdict"] not in scenario.verdicts:
        return answer, f"verdict {report['verdict']}, not {' or '.join(scenario.verdicts)}"
    missing = [word for word in scenario.words if word not in report["sentence"]]
    if missing:
        return answer, f"the sentence lacks {missing}"
    return answer, f"blamed: {report['verdict']}" if not scenario.verdicts and report["verdict"] in BLAMES else ""


def judge_alive(run):
    scenario = run.scenario
    early = run.report(last=True)
    if run.ended:
        outcome = run.state["outcome"]
        if outcome["reason"] == "self":
            return f"ended by itself ({outcome['exit_code']})", "it should work on; " + run.last_words()
        return f"{outcome['reason']}: {early['sentence'] if early else ''}", "ended, but it was not stuck"
    now = run.report(last=False)
    answer = f"left alone; {now['sentence']}" if now else "left alone"
    if early and (early["rule"] or not scenario.asks):
        return f"report: {early['sentence']}", "a report was written of it"
    if run.state["notices"] and scenario.service:
        return answer, f"notices {run.state['notices']}"
    if scenario.service and run.state["kind"] != "service":
        return answer, "it was not known as a service"
    if not now:
        return answer, "bgt why says nothing"
    if scenario.verdicts and now["verdict"] not in scenario.verdicts:
        return answer, f"verdict {now['verdict']}, not {' or '.join(scenario.verdicts)}"
    if not scenario.verdicts and now["verdict"] in BLAMES:
        return answer, f"blamed: {now['verdict']}"
    missing = [word for word in scenario.words if word not in now["sentence"]]
    return answer, f"the sentence lacks {missing}" if missing else ""


def judge(run):
    if run.scenario.stuck:
        return judge_stuck(run)
    return judge_told(run) if run.scenario.told else judge_alive(run)


def watch_time(scenario):
    if scenario.stuck:
        return 2 * scenario.limit + scenario.startup + NOISE
    return (4 if scenario.told else 2.5) * scenario.limit + scenario.startup


def play(lab, scenario):
    """Never raises: whatever goes wrong is in the row."""
    row = Row(scenario)
    missing = [program for program in scenario.needs if not shutil.which(program)]
    if scenario.skip or missing:
        row.skipped = scenario.skip or "no " + ", ".join(missing)
        return row
    stage = Stage(lab, scenario.name)
    run = None
    try:
        if scenario.setup:
            scenario.setup(stage)
        command = scenario.command(stage) if callable(scenario.command) else scenario.command
        options = scenario.options(stage) if callable(scenario.options) else scenario.options
        run = Run(stage.lab, scenario, options, command)
        if scenario.during:
            scenario.during(stage, run)
        run.watch(watch_time(scenario))
        row.answer, row.wrong = judge(run)
        if not row.wrong and scenario.check:
            row.wrong = scenario.check(run) or ""
        if row.wrong:
            row.evidence = run.evidence()
        elif stage.lab.record:
            run.keep_sample()
        row.no_output_ended = run.no_output_would_end()
    except Skip as reason:
        row.skipped = str(reason)
    except Exception as error:  # a broken scenario is a failed one
        row.wrong = f"{type(error).__name__}: {error}"
    finally:
        for release in stage.releases:
            release()
        if run:
            run.end()
        stage.close()
    return row
