"""Part of users.py: what another user leaves in the way of a state root, a configuration or a home."""
from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path

from lab import ALICE, MALLORY, VERBS, Lab, Mount, alice, as_user, check, need_root, own_mounts, snapshot


def plant(place: Path, what: str, target: Path) -> None:
    """As another user: something where the state root is to be made."""
    if what == "folder":
        place.mkdir()
    elif what == "folder for all":
        place.mkdir()
        place.chmod(0o777)
    elif what == "file":
        place.write_text("x")
    elif what == "fifo":
        os.mkfifo(place)
        place.chmod(0o666)
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place))
    elif what == "symlink to nothing":
        place.symlink_to(target / "nothing")
    else:
        place.symlink_to(target)


def a_planted_root_is_refused(args) -> None:
    for what in ("folder", "folder for all", "file", "fifo", "socket", "symlink", "symlink to nothing"):
        with alice(args) as lab:
            shared = lab.make_folder("tmp", 0o1777, 0)
            own = lab.make_folder("home/own")
            lab.home.chmod(0o711)
            lab.root = shared / "root"
            seen = as_user(MALLORY, lambda: plant(lab.root, what, own))
            check(seen == "None", f"planting a {what}: {seen}")
            before = snapshot(lab.folder)
            for words in VERBS:
                ran = lab.bgt(*words, timeout=10)
                # A link into nowhere is for a reader no root at all: `ps` of it is empty.
                if what == "symlink to nothing" and ran.code == 0:
                    check(words[0] in ("ps", "gc") and "1" not in ran.out, f"{ran}")
                    continue
                ran.refused()
            check(snapshot(lab.folder) == before, f"a planted {what} was used")


def what_is_planted_below_the_root_is_not_followed(args) -> None:
    """The root was open to others once, and is closed now: what they left in it stays what it is."""
    for name in ("tasks", "active", "names", "next-id"):
        for what in ("folder", "file", "fifo", "symlink"):
            with alice(args) as lab:
                lab.make_folder("home/root", 0o777)
                own = lab.make_folder("home/own")
                lab.home.chmod(0o711)
                check(as_user(MALLORY, lambda: plant(lab.root / name, what, own)) == "None", "planting")
                lab.root.chmod(0o700)
                ran = lab.bgt("run", "--name", "n", "-c", "echo private; sleep 1000", timeout=20)
                check(ran.code in (0, 125), f"{name} as a {what}: {ran}")
                check(not any(own.iterdir()), f"{name} as a {what} led bgt elsewhere")
                if ran.code == 0:
                    lab.home.chmod(0o755)
                    lab.root.chmod(0o755)
                    seen = as_user(MALLORY, lambda: [p.read_text() for p in lab.root.glob("tasks/*/spec.json")])
                    check("private" not in seen, f"{name} as a {what}: the spec is read: {seen}")
                    lab.root.chmod(0o700)
                    lab.bgt("kill", "--all").must(0)


def a_root_that_others_may_write_is_refused(args) -> None:
    for mode in (0o777, 0o1777, 0o770, 0o722):
        with alice(args) as lab:
            lab.make_folder("home/root", mode)
            for words in VERBS:
                lab.bgt(*words).refused("writable by others")
            check(not any(lab.root.iterdir()), "refused, and yet something was made")


def homes_and_variables_of_somebody_else(args) -> None:
    with alice(args) as lab:
        hers = lab.make_folder("hers", 0o777, MALLORY)
        # Where sessions keep their sockets is no place for tasks, which outlive it.
        lab.start("--", "true", env={"XDG_RUNTIME_DIR": str(hers)})
        check(not any(hers.iterdir()), "XDG_RUNTIME_DIR was used")
        for variable, below in (("XDG_STATE_HOME", "bgt"), ("HOME", ".local/state/bgt")):
            as_user(MALLORY, lambda: (hers / below).mkdir(parents=True))
            before = snapshot(hers)
            env = {"BGT_ROOT": None, variable: str(hers)}
            lab.bgt("run", "--", "true", env=env).refused("belongs to user 61002")
            check(snapshot(hers) == before, f"{variable} of somebody else was written")
        # Root that has kept the user's HOME (sudo without -H) does not touch the user's tasks.
        lab.start("--", "sleep", "1000", env={"BGT_ROOT": None})
        lab.bgt("kill", "1", uid=0, env={"BGT_ROOT": None}).refused("belongs to user 61001")
        lab.bgt("kill", "1", env={"BGT_ROOT": None}).must(0)


def root_makes_nothing_in_the_home_of_a_user(args) -> None:
    """sudo that keeps HOME, su without a dash: what root made there its owner could not write to."""
    with alice(args) as lab:
        for variable in ("HOME", "XDG_STATE_HOME"):
            env = {"BGT_ROOT": None, variable: str(lab.home)}
            lab.bgt("run", "--", "true", uid=0, env=env).refused("belongs to user 61001", "sudo -H", "BGT_ROOT")
        lab.bgt("--root", str(lab.home / "deep/root"), "run", "--", "true", uid=0).refused("belongs to user 61001")
        lab.bgt("ps", uid=0, env={"BGT_ROOT": None}).must(0)
        check(not any(lab.home.iterdir()), "root made something in a user's home")
        lab.start("--", "true", env={"BGT_ROOT": None})


def every_folder_on_the_way_to_the_root_counts(args) -> None:
    """Who may rename a folder on the way can put another root in its place."""
    with alice(args) as lab:
        hers = lab.make_folder("hers", 0o755, MALLORY)
        open_to_all = lab.make_folder("open", 0o777)
        for place in (hers, open_to_all):
            below = place / "below"
            below.mkdir()
            os.chown(below, ALICE, ALICE)
            below.chmod(0o700)
            lab.root = below / "root"
            for words in (("run", "--", "true"),):
                lab.bgt(*words).refused("on its way")
            check(not any(below.iterdir()), "refused, and yet something was made")
            as_user(ALICE, lambda: (below / "root").mkdir(mode=0o700))
            for words in VERBS:
                lab.bgt(*words).refused("on its way")
        open_to_all.chmod(0o1777)
        lab.start("--", "true")


def files_of_somebody_else_in_the_root_are_not_used(args) -> None:
    with alice(args) as lab:
        lab.start("-c", "echo private")
        lab.bgt("wait", "1").must(0)
        for name in ("status", "spec.json", "out.log", "events.jsonl", "lock"):
            path = lab.task("1") / name
            if not path.exists():
                continue
            os.chown(path, MALLORY, MALLORY)
            path.chmod(0o666)
            for words in (("show", "1"), ("logs", "1"), ("kill", "1"), ("why", "1"), ("ps", "-a")):
                ran = lab.bgt(*words, timeout=20)
                check(ran.code < 126, f"{name} of another user: {ran}")
            seen = lab.bgt("show", "--json", "1")
            check(name not in ("status", "spec.json") or "belongs to another user" in seen.out + seen.err, f"{name}: {seen}")
            os.chown(path, ALICE, ALICE)
            path.chmod(0o600)
        os.chown(lab.root / "next-id", MALLORY, MALLORY)
        (lab.root / "next-id").chmod(0o666)
        lab.bgt("run", "--", "true").refused("another user")


def a_planted_configuration_is_not_read(args) -> None:
    for what in ("her own", "file", "symlink", "fifo", "link"):
        with alice(args) as lab:
            shared = lab.make_folder("tmp", 0o1777, 0)
            work = lab.make_folder("tmp/work")
            evil = lab.make_folder("evil", 0o755, MALLORY) / "bgt.toml"
            evil.write_text("[[rule]]\nmatch = \".\"\nenv = [\"PLANTED=yes\"]\n")
            evil.chmod(0o644)
            os.chown(evil, MALLORY, MALLORY)
            own = lab.home / "notes"
            own.write_text("keep_ended = 1\n")
            os.chown(own, ALICE, ALICE)
            lab.home.chmod(0o711)

            def put() -> None:
                if what == "symlink":
                    (shared / "bgt.toml").symlink_to(own)
                elif what == "link":
                    os.link(evil, shared / "bgt.toml")
                elif what == "fifo":
                    plant(shared / "bgt.toml", "fifo", own)
                else:
                    shutil.copy(evil, shared / "bgt.toml")

            if what == "her own":  # or the others would prove nothing
                as_user(ALICE, lambda: shutil.copy(evil, work))
                lab.bgt("trust", str(work)).must(0)
                ran = lab.bgt("run", "--wait", "-c", "echo got=$PLANTED", cwd=work).must(0)
                check(ran.out == "got=yes\n", f"her own configuration is in force: {ran}")
                continue
            check(as_user(MALLORY, put) == "None", "planting")
            config = lab.bgt("config", cwd=work, timeout=10).must(0, 125)
            check("tmp/bgt.toml" not in config.out, f"a planted {what} is in force: {config}")
            ran = lab.bgt("run", "--wait", "-c", "echo got=$PLANTED", cwd=work, timeout=10).must(0, 125)
            check("yes" not in ran.out, f"a planted {what} is in force: {ran}")


def hostile_settings(folder: Path, mark: Path) -> None:
    """A configuration of root's own, in a folder of root's: what a clone or an archive may have left there."""
    (folder / "bgt").mkdir(parents=True, exist_ok=True)
    (folder / "bgt/config.toml").write_text(f'[[rule]]\nmatch = "."\nready_cmd = "touch {mark}"\n')


def settings_behind_a_path_of_somebody_else_are_not_read(args) -> None:
    """Root's own file, to which another user leads: by a link, a folder, or because she moved it there."""
    need_root()
    for how in ("link", "link in a chain", "link in /tmp", "moved"):
        with Lab(args.bgt, 0) as lab:
            hers = lab.make_folder("hers", 0o755, MALLORY)
            own = lab.make_folder("unpacked")
            lab.folder.chmod(0o755)
            mark = lab.home / "mark"
            hostile_settings(own, mark)
            env = {"HOME": str(hers)}
            if how == "link":
                as_user(MALLORY, lambda: (hers / ".config").symlink_to(own))
            elif how == "link in a chain":
                as_user(MALLORY, lambda: (hers / "link").symlink_to(own))
                (lab.home / ".config").symlink_to(hers / "link")
                env = {"HOME": str(lab.home)}
            elif how == "link in /tmp":
                shared = lab.make_folder("tmp", 0o1777, 0)
                as_user(MALLORY, lambda: (shared / "link").symlink_to(own))
                env = {"XDG_CONFIG_HOME": str(shared / "link")}
            else:
                (hers / "download").write_text((own / "bgt/config.toml").read_text())
                as_user(MALLORY, lambda: (hers / ".config/bgt").mkdir(parents=True))
                as_user(MALLORY, lambda: (hers / "download").rename(hers / ".config/bgt/config.toml"))
            ran = lab.bgt("run", "--wait", "--", "sleep", "0.3", env=env).must(0)
            check(not mark.exists(), f"{how}: a command of the file was run: {ran}")
            check(ran.err.count("\n") == 1 and "config.toml is not read" in ran.err and "belongs to another user" in ran.err,
                  f"{how}: it is said: {ran}")
            ran = lab.bgt("run", "--wait", "--", "sleep", "0.3", env={"XDG_CONFIG_HOME": str(own)}).must(0)
            check(mark.exists() and ran.err == "", f"without her it is read: {ran}")


def trust_is_kept_behind_no_path_of_somebody_else(args) -> None:
    need_root()
    with Lab(args.bgt, 0) as lab:
        hers = lab.make_folder("hers", 0o755, MALLORY)
        own = lab.make_folder("own")
        work = lab.make_folder("work")
        lab.folder.chmod(0o755)
        (work / "bgt.toml").write_text('[[rule]]\nmatch = "."\nenv = "GOT=yes"\n')
        as_user(MALLORY, lambda: (hers / ".local").mkdir())
        as_user(MALLORY, lambda: (hers / ".local/share").symlink_to(own))
        lab.bgt("trust", str(work), env={"HOME": str(hers)}).refused("belongs to user 61002")
        check(not any(own.iterdir()), "something was made behind the link of another user")
        # Nor is what lies there believed.
        lab.bgt("trust", str(work), env={"XDG_DATA_HOME": str(own)}).must(0)
        for env, got in (({"XDG_DATA_HOME": str(own)}, "yes"), ({"HOME": str(hers)}, "")):
            ran = lab.bgt("run", "--wait", "-c", "echo $GOT", cwd=work, env=env).must(0)
            check(ran.out == got + "\n", f"trusted by {env}: {ran}")
        for words in ((str(work),), ("--list",), ("--revoke", str(work))):
            lab.bgt("trust", *words, env={"HOME": str(hers)}).refused("belongs to user 61002")


def folders_of_umask_002(lab: Lab) -> Path:
    """What a login with a private group makes: a clone, settings, an env file and a root."""
    def make() -> None:
        os.umask(0o002)
        (lab.home / ".config/bgt").mkdir(parents=True)
        (lab.home / ".config/bgt/config.toml").write_text('grace = "7s"\n')
        clone = lab.home / "clone"
        clone.mkdir()
        (clone / "bgt.toml").write_text('[[rule]]\nmatch = "."\nenv = "GOT=yes"\n')
        (clone / "Procfile").write_text("web: sleep 1000\n")
        (clone / "env").write_text("TOLD=too\n")
        (lab.home / "root").mkdir()
    said = as_user(ALICE, make)
    check(said == "None", said)
    return lab.home / "clone"


def as_known_to(lab: Lab, stack: ExitStack, name: str, passwd: str, group: str) -> None:
    """This machine has those accounts, until the end of the stack."""
    for file, text in (("passwd", passwd), ("group", group)):
        made = lab.folder / f"{name}-{file}"
        made.write_text(text)
        made.chmod(0o644)
        stack.enter_context(Mount(Path("/etc") / file, "--bind", str(made)))


def what_only_the_private_group_may_write_is_used(args) -> None:
    own_mounts()
    account = f"alice:x:{ALICE}:{ALICE}::/:/bin/sh\n"
    root = "root:x:0:0:root:/root:/bin/sh\n"
    with alice(args) as lab, ExitStack() as stack:
        as_known_to(lab, stack, "private", root + account, f"root:x:0:\nalice:x:{ALICE}:\n")
        clone = folders_of_umask_002(lab)
        check(lab.bgt("config", "grace", cwd=clone).must(0).err == "", "the settings are read")
        check(lab.bgt("config", "grace", cwd=clone).out == "7s\n", "the settings count")
        check(lab.bgt("trust", str(clone)).must(0).err == "", "the clone can be trusted")
        ran = lab.bgt("run", "--wait", "--env-file", "env", "-c", "echo $GOT $TOLD", cwd=clone).must(0)
        check(ran.out == "yes too\n" and ran.err == "", f"what the files say counts: {ran}")
        ran = lab.bgt("up", cwd=clone).must(0)
        check("web: started" in ran.out and ran.err == "", f"the Procfile is read: {ran}")
        lab.bgt("down", cwd=clone).must(0)
        (clone / "bgt.toml").chmod(0o666)
        ran = lab.bgt("ps", cwd=clone).must(0)
        check("other users may write it (chmod go-w " in ran.err, f"for all it is not: {ran}")


def what_a_group_of_others_may_write_is_not_used(args) -> None:
    own_mounts()
    account = f"alice:x:{ALICE}:{ALICE}::/:/bin/sh\nmallory:x:{MALLORY}:{MALLORY}::/:/bin/sh\n"
    for name, passwd, group in (
            ("member", account, f"alice:x:{ALICE}:mallory\n"),
            ("primary", account.replace(f"{MALLORY}:{MALLORY}", f"{MALLORY}:{ALICE}"), f"alice:x:{ALICE}:\n"),
            ("named", account, f"team:x:{ALICE}:\n"),
            ("unknown", "", "")):
        with alice(args) as lab, ExitStack() as stack:
            as_known_to(lab, stack, name, passwd, group)
            clone = folders_of_umask_002(lab)
            ran = lab.bgt("ps", cwd=clone, env={"BGT_ROOT": str(lab.home / "other")})
            for file in (clone / "bgt.toml", lab.home / ".config/bgt/config.toml"):
                check(f"{file} is not read: its group may write it" in ran.err and f"chmod g-w {file})" in ran.err,
                      f"{name}: {file} is refused, with what to do: {ran}")
            lab.bgt("ps").refused("writable by others", "chmod go-w")  # its root


TESTS = (
    a_planted_root_is_refused,
    what_is_planted_below_the_root_is_not_followed,
    a_root_that_others_may_write_is_refused,
    homes_and_variables_of_somebody_else,
    root_makes_nothing_in_the_home_of_a_user,
    every_folder_on_the_way_to_the_root_counts,
    files_of_somebody_else_in_the_root_are_not_used,
    a_planted_configuration_is_not_read,
    settings_behind_a_path_of_somebody_else_are_not_read,
    trust_is_kept_behind_no_path_of_somebody_else,
    what_only_the_private_group_may_write_is_used,
    what_a_group_of_others_may_write_is_not_used,
)
