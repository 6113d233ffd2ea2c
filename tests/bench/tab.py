"""What one press of Tab costs inside each shell, ours against the completions that zoxide ships."""

import glob
import os
import pty
import select
import subprocess
import time

PRESSES = 100
# What is typed, of whom, and what it is in the table.
LINES = {"ours": "ai re", "tool": "claude --mo", "peer": "zoxide re"}


def shipped(version):
    """The directory of zoxide's completions: part of its source, which `cargo install` leaves in its registry."""
    cargo = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
    found = glob.glob(f"{cargo}/registry/src/*/zoxide-{version}/contrib/completions")
    if not found:
        raise SystemExit(f"no completions of zoxide {version} below {cargo}/registry/src: run `cargo install zoxide` again")
    return found[0]


def bash(lab, here, ai, zoxide, completions):
    """Seconds a press, by line; and for a place that this shell has not been asked about yet."""
    script = f"""
        source {completions}/zoxide.bash; eval "$({ai} init bash)"; source <({ai} completions bash)
        presses() {{
            local start=$EPOCHREALTIME index
            for ((index = 0; index < {PRESSES}; index++)); do COMPREPLY=(); "$@"; done
            local end=$EPOCHREALTIME
            echo "$(( (${{end/./}} - ${{start/./}}) ))"
        }}
        first() {{ __ai_places=(); __ai_complete; }}
        COMP_CWORD=1
        COMP_WORDS=({LINES["ours"]}); __ai_complete; presses __ai_complete; presses first
        COMP_WORDS=({LINES["tool"]}); __ai_complete; presses __ai_complete; presses first
        COMP_WORDS=({LINES["peer"]}); presses _zoxide zoxide re zoxide
    """
    out = subprocess.run(["bash", "--noprofile", "--norc", "-c", script], cwd=here, env=lab.env, capture_output=True, text=True, check=True)
    times = [int(line) / 1e6 / PRESSES for line in out.stdout.split()]
    return dict(zip(("ours", "ours, first", "tool", "tool, first", "peer"), times, strict=True))


def fish(lab, here, ai, zoxide, completions):
    """As for bash; fish keeps nothing, so each press is the first."""
    times = {}
    load = f"source {completions}/zoxide.fish; {ai} init fish | source"
    for name, line in {"bare": "", **LINES}.items():
        press = f"complete -C '{line}' >/dev/null" if line else "true"
        start = time.perf_counter()
        lab.run(["fish", "--no-config", "-c", f"{load}; for i in (seq {PRESSES}); {press}; end"], here)
        times[name] = time.perf_counter() - start
    return {name: (times[name] - times["bare"]) / PRESSES for name in LINES}


def zsh(lab, here, ai, zoxide, completions):
    """As for bash, in its line editor on a terminal of its own."""
    setup, out = lab.scratch / "setup.zsh", lab.scratch / "out"
    # The names on the right are those that bash's times have.
    probes = [(LINES["ours"], "", "ours"), (LINES["ours"], "__ai_answers=()", "ours, first"), (LINES["tool"], "", "tool")]
    probes += [(LINES["tool"], "__ai_answers=()", "tool, first"), (LINES["peer"], "", "peer")]
    press = "BUFFER='{line}'; CURSOR=$#BUFFER; {before}; zle complete-word"
    loops = "".join(
        f"{press.format(line=line, before=before or ':')}; start=$EPOCHREALTIME; repeat {PRESSES}; do {press.format(line=line, before=before or ':')}; done\n"
        f"print -r -- $(( (EPOCHREALTIME - start) / {PRESSES} )) >>{out}.new\n"
        for line, before, _ in probes
    )
    setup.write_text(
        f"fpath=({completions} $fpath); autoload -Uz compinit; compinit -u -d {lab.scratch}/dump\n"
        f'eval "$({ai} init zsh)"; __ai_register; zmodload zsh/datetime\n'
        f"probe() {{ local -F start\n: >{out}.new\n{loops}mv {out}.new {out}\n}}\nzle -N probe; bindkey '^X' probe; print -n rea''dy\n"
    )
    out.unlink(missing_ok=True)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(here)
        os.execvpe("zsh", ["zsh", "-f", "-i"], lab.env | {"TERM": "xterm"})
    os.write(terminal, f"source {setup}\n".encode())
    _until(terminal, lambda seen: b"ready" in seen)
    os.write(terminal, b"\x18")
    _until(terminal, lambda _: out.exists())
    os.close(terminal)
    os.waitpid(pid, 0)
    return dict(zip((name for _, _, name in probes), map(float, out.read_text().split()), strict=True))


def _until(terminal, done):
    """Reads what the terminal shows until `done` of all of it, at most a minute."""
    seen, end = b"", time.monotonic() + 60
    while not done(seen):
        if time.monotonic() > end:
            raise SystemExit(f"zsh did not answer: {seen[-500:]!r}")
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65536)
