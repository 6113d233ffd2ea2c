"""From the command to the prompt of the real Claude, on a terminal: natively, and where a container waits for it."""

import fcntl
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import pty
import select
import statistics
import struct
import subprocess
import termios
import time

import phases

COMPARE = pathlib.Path(__file__).resolve().parent.parent / "bed/compare"
PROMPT = "❯".encode()


def bed():
    """What the comparison of the tools has: the models' server, and the programs as a machine has them."""
    loader = importlib.machinery.SourceFileLoader("compare", str(COMPARE))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
    loader.exec_module(module)
    return module


def agreed(path, folder):
    """A person who has answered all that is asked once."""
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | {"hasCompletedOnboarding": True, "projects": {folder: {"hasTrustDialogAccepted": True}}}))


def seconds(command, env, cwd):
    """Until the prompt is drawn; then it is left as a person leaves it."""
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.chdir(cwd)
        os.execvpe(command[0], command, env)
    drawn, taken, left = b"", None, 0
    while True:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                drawn += os.read(terminal, 65536)
            except OSError:
                break
        if taken is None and PROMPT in drawn:
            taken = time.perf_counter() - start
        elif taken is not None and left < 2:
            time.sleep(0.3)
            left += os.write(terminal, b"\x03")
        assert time.perf_counter() < start + 60, drawn[-2000:]
    os.close(terminal)
    os.waitpid(pid, 0)
    assert taken is not None, drawn[-2000:]
    return taken


def measure(lab, ai, rounds):
    """Median seconds: inside, natively."""
    compare, here = bed(), lab.project("prompt")
    server = compare.Server(lab.scratch)
    homes = {"ai": lab.home, "native": lab.scratch / "native"}
    for home in homes.values():
        (home / ".claude").mkdir(parents=True, exist_ok=True)
        (home / ".claude/settings.json").write_text('{"apiKeyHelper": "echo made-up"}')
        agreed(home / ".claude.json", str(here))
    env = lab.env | {
        "PATH": f"{compare.native_programs()}/bin:{lab.env['PATH']}",
        "TERM": "xterm-256color",
        "AI_IMAGE": os.environ["AI_BED_TOOLS"],
        "AI_NETWORK": "host",
        "AI_CA": "off",
        "ANTHROPIC_BASE_URL": server.url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    quiet = {"cwd": here, "env": env, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    subprocess.run([ai, "image", "pin"], **quiet)
    subprocess.run([ai, "run", "claude", "--version"], **quiet)
    (inside,) = (lab.home / ".docker-ai-config/global_state/claude/projects").glob("prompt-*/home/.claude.json")
    agreed(inside, "/workspace/prompt")
    env["AI_SPARE"] = "1"
    ways = {"ai": [ai, "run", "claude"], "native": ["claude"]}
    taken = {way: [] for way in ways}
    for turn in range(rounds + 1):
        phases.waits(lab, ai, here, env, "--terminal", "claude")
        for way, command in ways.items():
            found = seconds(command, env | {"HOME": str(homes[way])}, here)
            if turn:
                taken[way].append(found)
    env["AI_SPARE"] = "0"
    time.sleep(2)
    subprocess.run([ai, "gc"], **quiet)
    return tuple(statistics.median(taken[way]) for way in ways)
