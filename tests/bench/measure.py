"""Benchmarks against named peers: both sides warm, interleaved, medians and ratios of one run."""

import json
import os
import pathlib
import platform
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import phases
import prompt
import tab

AI, ZOXIDE, CCUSAGE = os.environ["AI"], os.environ["ZOXIDE"], os.environ["CCUSAGE"]
IMAGE = os.environ["AI_BED_BUSYBOX"]
SHELLS = {"zsh": ["zsh", "-f", "-c"], "bash": ["bash", "--noprofile", "--norc", "-c"], "fish": ["fish", "--no-config", "-c"]}


class Lab:
    """A scratch home and an environment that is the same for both sides."""

    def __init__(self, scratch, owner=None):
        """Programs run as `owner`, a user's id, or as who measures."""
        self.scratch, self.who = pathlib.Path(scratch), {}
        self.home = self.scratch / "home"
        self.home.mkdir()
        if owner is not None and owner != os.geteuid():
            self.who = {"user": owner, "group": pwd.getpwuid(owner).pw_gid, "extra_groups": []}
            for place in (self.scratch, self.home):
                os.chown(place, owner, self.who["group"])
        self.env = {key: os.environ[key] for key in ("PATH", "TERM", "LANG", "DOCKER_HOST") if key in os.environ}
        self.env |= {"HOME": str(self.home), "AI_IMAGE": IMAGE}

    def project(self, name, files=0):
        path = self.scratch / name
        (path / ".git").mkdir(parents=True)
        for index in range(files):
            directory = path / f"d{index // 1000}"
            directory.mkdir(exist_ok=True)
            (directory / f"f{index}").touch()
        if self.who:
            shutil.chown(path, self.who["user"], self.who["group"])
            shutil.chown(path / ".git", self.who["user"], self.who["group"])
        return path

    def run(self, argv, cwd, **more):
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "check": True, "env": self.env, **self.who, **more}
        return subprocess.run(argv, cwd=cwd, **more)

    def seconds(self, argv, cwd):
        start = time.perf_counter()
        self.run(argv, cwd)
        return time.perf_counter() - start

    def processor(self, argv, cwd):
        """Seconds on a processor, and what was printed."""
        process = subprocess.Popen(argv, cwd=cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        printed = process.stdout.read().strip()
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0, argv
        return used.ru_utime + used.ru_stime, printed

    def peak(self, argv, cwd):
        """MiB that a command had at most, looked at until it ends: what wait4(2) tells begins with the memory of this program."""
        process, most = subprocess.Popen(argv, cwd=cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL), 0.0
        while process.poll() is None:
            most = max(most, _memory(process.pid, "VmHWM"))
            time.sleep(0.0005)
        assert process.returncode == 0, argv
        return most

    def medians(self, sides, cwd, rounds):
        """Median seconds of each side; a round runs every side once."""
        taken = {name: [] for name in sides}
        for argv in sides.values():
            self.run(argv, cwd)
        for _ in range(rounds):
            for name, argv in sides.items():
                taken[name].append(self.seconds(argv, cwd))
        return {name: statistics.median(times) for name, times in taken.items()}

    def instructions(self, argv, cwd):
        """Millions of instructions, by callgrind."""
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.scratch}/callgrind", *argv]
        result = subprocess.run(command, cwd=cwd, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
        return int(re.search(r"Collected : (\d+)", result.stderr)[1]) / 1e6


def milliseconds(seconds):
    return f"{seconds * 1000:.2f} ms"


def row(what, ours, theirs, peer, budget):
    return [what, milliseconds(ours), f"{milliseconds(theirs)} ({peer})", f"{ours / theirs:.2f}", budget]


def init(lab):
    rows, here = [], lab.project("init")
    for shell in SHELLS:
        sides = {"ai": [AI, "init", shell], "zoxide": [ZOXIDE, "init", shell]}
        times = lab.medians(sides, here, 200)
        rows.append(row(f"`ai init {shell}`", times["ai"], times["zoxide"], "zoxide init", "1.0"))
        ours, theirs = (lab.instructions(argv, here) for argv in sides.values())
        rows.append([f"`ai init {shell}`, instructions", f"{ours:.2f} M", f"{theirs:.2f} M (zoxide init)", f"{ours / theirs:.2f}", "-"])
    return rows


def evaluate(lab):
    rows, here = [], lab.project("eval")
    for shell, command in SHELLS.items():
        load = (lambda program: f"{program} init fish | source") if shell == "fish" else (lambda program: f'eval "$({program} init {shell})"')
        sides = {"bare": [*command, "true"], "ai": [*command, load(AI)], "zoxide": [*command, load(ZOXIDE)]}
        times = lab.medians(sides, here, 100)
        rows.append(row(f"loading it, {shell}", times["ai"] - times["bare"], times["zoxide"] - times["bare"], "zoxide's", "1.0"))
    return rows


def complete(lab):
    """Presses of Tab; the claude of the lab has as many words as the real one."""
    rows, here = [], lab.project("complete")
    words = lab.home / ".docker-ai-config/completions/claude"
    words.parent.mkdir(parents=True)
    words.write_text("\t--model\tWhich model\n" + "".join(f"\t--flag-{index}\tWhat it does\n" for index in range(80)))
    completions = tab.shipped(zoxide_version().split()[-1])
    for shell in SHELLS:
        rounds = [getattr(tab, shell)(lab, here, AI, ZOXIDE, completions) for _ in range(9)]
        times = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
        for name, line in (("ours", "ai re"), ("tool", "claude --mo")):
            rows.append(row(f"Tab behind `{line}`, {shell}", times[name], times["peer"], "zoxide re", "0.7"))
            first = times.get(f"{name}, first")
            if first is not None:
                rows.append(row("the same, for the first time in this shell", first, times["peer"], "zoxide re", "1.5"))
    return rows


def resolve(lab):
    small, large = lab.project("small"), lab.project("large", files=100_000)
    rows = []
    for what, here in (("`ai resolve`", small), ("`ai resolve`, repository of 100,000 files", large)):
        times = lab.medians({"ai": [AI, "resolve", "claude"], "zoxide": [ZOXIDE, "--version"]}, here, 200)
        rows.append(row(what, times["ai"], times["zoxide"], "zoxide --version", "1.2"))
    return rows


def whole_run(lab):
    rows, here = [], lab.project("run")
    session = subprocess.run([AI, "sync", "in", "claude"], cwd=here, env=lab.env, capture_output=True, text=True, check=True).stdout.strip()
    vector = subprocess.run(
        [AI, "resolve", "--format", "argv0", "--session", session, "--", "claude", "true"], cwd=here, env=lab.env, capture_output=True, check=True
    ).stdout.split(b"\0")[:-1]
    sides = {"docker": vector, "ai run": [AI, "run", "claude", "true"]}
    for shell, command in SHELLS.items():
        script = lab.scratch / f"init.{shell}"
        script.write_bytes(subprocess.run([AI, "init", shell], env=lab.env, capture_output=True, check=True).stdout)
        # The shell starts once and runs the function; its own start is taken off below.
        sides[shell] = [*command, f"source {script}; claude true"]
        sides[f"bare {shell}"] = [*command, f"source {script}"]
    times = lab.medians(sides, here, 30)
    for shell in SHELLS:
        ours = times[shell] - times[f"bare {shell}"]
        rows.append(row(f"whole run, {shell} function", ours, times["docker"], "docker run, same vector", "1.03"))
    rows.append(row("whole run, `ai run`", times["ai run"], times["docker"], "docker run, same vector", "1.03"))
    return rows


def spare(lab):
    """A run that a container waits for, against `docker run` of the same image on the bridge; on each engine that there is."""
    rows = [waited_for(lab, AI, "")]
    rootless = os.environ.get("AI_BED_ROOTLESS")
    if rootless:
        socket = pathlib.Path(rootless) / "run/docker.sock"
        with tempfile.TemporaryDirectory(prefix="ai-bench-") as scratch:
            other = Lab(scratch, owner=socket.stat().st_uid)
            # Its owner may not look into the directory of the build.
            program = shutil.copy(AI, other.scratch / "ai")
            other.env |= {"DOCKER_HOST": f"unix://{socket}"}
            rows.append(waited_for(other, program, " of a daemon without root"))
    ours, native = prompt.measure(lab, AI, 15)
    rows.append(row("`ai run claude` to its prompt, a container waits", ours, native, "the same program natively", "native + 50 ms"))
    return rows


def waited_for(lab, ai, where):
    here, rounds = lab.project("spare"), int(os.environ.get("ROUNDS", "30"))
    lab.run([ai, "image", "pin"], here, stderr=subprocess.DEVNULL)
    lab.run([ai, "exec", "true"], here)
    lab.env["AI_SPARE"] = "1"
    taken = {"ai": [], "docker": []}
    for _ in range(rounds):
        # Whoever is slow to make one is waited for: what is measured is the run.
        phases.waits(lab, ai, here, lab.env)
        taken["ai"].append(lab.seconds([ai, "exec", "true"], here))
        taken["docker"].append(lab.seconds(["docker", "run", "--rm", "--init", "-i", IMAGE, "true"], here))
    lab.env["AI_SPARE"] = "0"
    time.sleep(2)
    lab.run([ai, "gc"], here, stderr=subprocess.DEVNULL)
    times = {name: statistics.median(seconds) for name, seconds in taken.items()}
    return row(f"whole run, `ai exec true`, a container{where} waits", times["ai"], times["docker"], "docker run --rm --init -i", "0.25")


def sync(lab):
    here = lab.project("sync")
    history = None
    for _ in range(2):
        session = subprocess.run([AI, "sync", "in", "claude"], cwd=here, env=lab.env, capture_output=True, text=True, check=True).stdout.strip()
        if history is None:
            home = next((lab.home / ".docker-ai-config/global_state/claude/projects").glob("sync-*")) / "home"
            history = home / "projects/-workspace-sync"
            history.mkdir(parents=True)
            for index in range(2000):
                (history / f"{index}.jsonl").write_bytes(b'{"line": 1}\n' * 8534)
        lab.run([AI, "sync", "out", session], here)
    copy = lab.scratch / "copy"
    both = f'session="$({AI} sync in claude)" && {AI} sync out "$session"'
    sides = {"ai": ["sh", "-c", both], "rsync": ["rsync", "-a", "--delete", f"{home}/", f"{copy}/"]}
    times = lab.medians(sides, here, 30)
    return [row("sync in + out, nothing changed, 2,000 × 100 KiB of history", times["ai"], times["rsync"], "rsync -a --delete", "0.15")]


def growth(lab):
    """The cost of a sync as what a tool keeps grows, and as projects do; the smallest of each is the peer."""
    counts = (10, 1_000, 100_000)
    sides = {}
    for count in counts:
        here = lab.project(f"growth{count}")
        lab.run([AI, "run", "claude", "true"], here)
        history = next((lab.home / ".docker-ai-config/global_state/claude/projects").glob(f"growth{count}-*")) / "home/projects"
        for index in range(count):
            directory = history / f"d{index // 1000}"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"{index}.jsonl").touch()
        sides[count] = ["sh", "-c", f'cd {here} && session="$({AI} sync in claude)" && {AI} sync out "$session"']
    times = lab.medians(sides, lab.scratch, 30)
    rows = [row(f"sync in + out, {count:,} files of history", times[count], times[counts[0]], "10 files", "1.2") for count in counts[1:]]
    projects = lab.home / ".docker-ai-config/global_state/claude/projects"
    for index in range(10_000):
        (projects / f"other{index}-00000000/home").mkdir(parents=True)
    many = lab.medians({"many": sides[counts[0]]}, lab.scratch, 30)["many"]
    rows.append(row("sync in + out, 10,000 projects", many, times[counts[0]], "3 projects", "1.05"))
    return rows


def border(lab):
    """What somebody hostile can make dear: settings, and the files that are compared after a run."""
    rows, here, settings = [], lab.project("keys"), lab.home / ".claude/settings.json"
    settings.parent.mkdir()
    keys = lambda value: "{\n" + ",\n".join(f'  "key{key:05}": {value}' for key in range(40_000)) + "\n}\n"
    taken = {"nothing changed": [], "every key changed": []}
    settings.write_text(keys(0))
    for turn in range(9):
        for what, times in taken.items():
            if what == "every key changed":
                settings.write_text(keys(turn + 1))
            into, session = lab.processor([AI, "sync", "in", "claude"], here)
            out, _ = lab.processor([AI, "sync", "out", session], here)
            times.append(max(into, out))
    for what, times in taken.items():
        seconds = statistics.median(times[1:])
        rows.append([f"settings of 40,000 keys, {what}: processor time of a sync", milliseconds(seconds), "-", "-", "100 ms"])
    shutil.rmtree(settings.parent)

    sides = {}
    for name, files in (("few", 10), ("many", 100_000)):
        project = lab.project(name, files)
        sides[name] = ["sh", "-c", f'cd {project} && session="$({AI} sync in claude)" && {AI} sync out "$session"']
    deep = lab.project("deep")
    for index in range(10_000):
        directory = deep / f"d{index // 100}/e{index}"
        directory.mkdir(parents=True)
        for file in range(10):
            (directory / f"f{file}").touch()
    sides["deep"] = ["sh", "-c", f'cd {deep} && session="$({AI} sync in claude)" && {AI} sync out "$session"']
    times = lab.medians(sides, lab.scratch, 60)
    for name, what in (("many", "in 100 directories"), ("deep", "in 10,000 directories")):
        rows.append([f"control files before and after, 100,000 files {what}", milliseconds(times[name] - times["few"]), "-", "-", "5 ms"])
    return rows


def hot(lab):
    """What a function asks of us around the engine's own run."""
    here = lab.project("hot")
    lab.run([AI, "run", "claude", "true"], here)
    ours = f'session="$({AI} sync in claude)" && {AI} resolve --session "$session" -- claude true && {AI} sync out "$session"'
    nothing = 'session="$(/bin/true)" && /bin/true && /bin/true "$session"'
    times = lab.medians({"ai": ["sh", "-c", ours], "nothing": ["sh", "-c", nothing], "sh": ["sh", "-c", "true"]}, here, 100)
    took, floor = times["ai"] - times["sh"], times["nothing"] - times["sh"]
    peer = f"{milliseconds(floor)} (three times /bin/true)"
    return [["`ai sync in`, `ai resolve`, `ai sync out`, three processes", milliseconds(took), peer, f"{took / floor:.2f}", "4 ms"]]


def guard(lab):
    """A guarded run whole, against the engine's bridge: with us, and the same image without any of us."""
    here = lab.project("guard")
    bare = ["docker", "run", "--rm", "--init", IMAGE, "true"]
    ours = {network: [AI, "run", "--network", network, "claude", "true"] for network in ("guard", "bridge")}
    sides = {"docker": bare, **ours}
    times = lab.medians(sides, here, 30)
    what = "whole run with `network = \"guard\"`, `ai run`"
    rows = [
        row(what, times["guard"], times["bridge"], "ai run on the bridge", "0.9"),
        row(what, times["guard"], times["docker"], "docker run on the bridge", "-"),
    ]
    process = subprocess.Popen([*sides["guard"][:-1], "sleep", "3"], cwd=here, env=lab.env, stdin=subprocess.DEVNULL)
    time.sleep(2)
    helper = next(pid for pid in _family(process.pid) if "__guard" in _name(pid))
    pages = f"{_memory(helper, 'VmRSS'):.1f} MiB with pages of the program, which all runs share"
    rows.append(["memory of its own of the helper beside it, idle", f"{_memory(helper, 'RssAnon'):.1f} MiB", pages, "-", "2 MiB"])
    process.wait()
    return rows


def _family(pid):
    """All processes below one."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children] + [below for child in children for below in _family(int(child))]


def _name(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def _memory(pid, field):
    """MiB; none where the process has ended."""
    found = re.search(rf"{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def ledger(lab):
    """A gigabyte of transcripts: counted for the first time, after one more question, and searched."""
    here = lab.project("ledger")
    lab.run([AI, "run", "claude", "true"], here)
    home = next((lab.home / ".docker-ai-config/global_state/claude/projects").glob("ledger-*")) / "home"
    sessions = home / "projects/-workspace-ledger"
    sessions.mkdir(parents=True)
    for index in range(10):
        with open(sessions / f"{index:08}-0000-4000-8000-000000000000.jsonl", "w", encoding="utf-8") as file:
            for number in range(4_650):
                file.write(_question(f"{index}-{number}"))
        if index == 7:
            with open(file.name, "a", encoding="utf-8") as file:
                file.write(_question("one", "quokka"))
    size = sum(path.stat().st_size for path in sessions.iterdir())
    counted = lab.home / ".docker-ai-config/log"
    first = ["sh", "-c", f"rm -rf {counted}/ledger; {AI} stats"]
    peer = ["env", f"CLAUDE_CONFIG_DIR={home}", CCUSAGE, "claude", "daily", "--offline"]
    times = lab.medians({"ai": first, "ccusage": peer}, here, 5)
    rows = [row(f"`ai stats`, {size / 2**30:.2f} GiB of transcripts for the first time", times["ai"], times["ccusage"], "ccusage", "0.5 s")]
    again = []
    for turn in range(9):
        with open(sessions / "00000003-0000-4000-8000-000000000000.jsonl", "a", encoding="utf-8") as file:
            file.write(_question(f"more-{turn}"))
        again.append(lab.seconds([AI, "stats"], here))
    rows.append(row("the same after one more question", statistics.median(again), times["ccusage"], "ccusage", "20 ms"))
    shutil.rmtree(counted / "ledger")
    rows.append(["memory of the first", f"{lab.peak([AI, 'stats'], here):.1f} MiB", f"{lab.peak(peer, here):.0f} MiB (ccusage)", "-", "10 MiB"])
    found = lab.medians({"ai": [AI, "history", "quokka"], "grep": ["grep", "-rlF", "quokka", str(sessions)]}, here, 9)
    rows.append(row("`ai history WORD` in them, no index", found["ai"], found["grep"], "grep -rlF", "0.3 s"))
    return rows


def _question(name, said="How is it done"):
    """Two lines of a transcript: what was said, with what was read for it, and the answer with its use."""
    at = "2026-11-26T10:00:00.000Z"
    head = {"sessionId": "s", "cwd": "/workspace/ledger", "timestamp": at, "version": "2.1.330", "isSidechain": False}
    asked = head | {"type": "user", "uuid": f"u{name}", "message": {"role": "user", "content": f"{said} {name}"}, "toolUseResult": "x" * 15_500}
    usage = {"input_tokens": 12, "output_tokens": 340, "cache_read_input_tokens": 20_000, "cache_creation_input_tokens": 900}
    message = {"id": f"msg_{name}", "model": "claude-opus-5-5", "role": "assistant", "content": [{"type": "text", "text": "y" * 5_800}], "usage": usage}
    answered = head | {"type": "assistant", "uuid": f"a{name}", "requestId": f"req_{name}", "message": message}
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in (asked, answered))


def memory(lab):
    here = lab.project("memory")
    process = subprocess.Popen([AI, "run", "claude", "sleep", "2"], cwd=here, env=lab.env, stdin=subprocess.DEVNULL)
    time.sleep(1.5)
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    process.wait()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    size = os.path.getsize(AI) / 2**20
    return [["memory of `ai run` while a tool runs", f"{peak:.1f} MiB", "-", "-", "6 MiB"], ["the program, stripped", f"{size:.2f} MiB", "-", "-", "6 MiB"]]


def crowd(lab):
    rows = []
    projects = [lab.project(f"crowd{index}") for index in range(10)]
    for count in (1, 2, 5, 10, 20, 50):
        start = time.perf_counter()
        running = [
            subprocess.Popen([AI, "run", "claude", "true"], cwd=projects[index % 10], env=lab.env, stdin=subprocess.DEVNULL) for index in range(count)
        ]
        failures = sum(process.wait() != 0 for process in running)
        rows.append([f"{count} sessions at once", f"{time.perf_counter() - start:.2f} s", "-", f"{failures} failures", "0 failures"])
    return rows


PARTS = {"init": init, "eval": evaluate, "complete": complete, "resolve": resolve, "run": whole_run, "spare": spare, "sync": sync, "growth": growth, "border": border, "hot": hot, "guard": guard, "ledger": ledger, "memory": memory, "crowd": crowd}
HEAD = """# Performance

Written by `make bench`, which measures both sides warm and interleaved; medians, ratios of one run. Machine: {machine}.

| what | ours | peer | ratio | budget |
|---|---|---|---|---|
"""


def main():
    target, parts = pathlib.Path(sys.argv[1]), sys.argv[2:] or [*PARTS, "phases"]
    rows, more, plot = [], "", target.parent.parent / "target/performance.svg"
    for part in parts:
        scratch = tempfile.mkdtemp(prefix="ai-bench-")
        try:
            if part == "phases":
                more, bars = phases.section(Lab(scratch), AI, IMAGE, int(os.environ.get("ROUNDS", "20")))
                print(more, flush=True)
                plot.write_text(bars)
                continue
            for line in PARTS[part](Lab(scratch)):
                rows.append(line)
                print("  ".join(line), flush=True)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    if len(parts) > len(PARTS):
        machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {versions()}"
        target.write_text(HEAD.format(machine=machine) + "".join(f"| {' | '.join(line)} |\n" for line in rows) + more)
        plot.replace(target.with_suffix(".svg"))


def zoxide_version():
    return subprocess.run([ZOXIDE, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def versions():
    docker = subprocess.run(["docker", "version", "--format", "{{json .Server.Version}}"], capture_output=True, text=True, check=True).stdout
    return f"{zoxide_version()}, docker engine {json.loads(docker)}"


main()
