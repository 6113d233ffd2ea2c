"""Where the time of a run goes: by the engine's own events, and by when its first word arrives; beside what the machine itself needs."""

import json
import os
import pathlib
import statistics
import subprocess
import time

# Each ends with a moment: when the engine's client was called, what the engine noted, the first byte of output, the end of the command.
PHASES = {
    "ours, before the engine": "client",
    "client, container made": "create",
    "namespaces, mounts, network": "start",
    "until its first word": "word",
    "until its end is seen": "die",
    "cleared away": "destroy",
    "ours, afterwards": "end",
}
COLOURS = ["#0072b2", "#e69f00", "#d55e00", "#009e73", "#cc79a7", "#999999", "#56b4e9"]
WORDS = ["sh", "-c", "echo word"]


def once(argv, here, env, note):
    """Milliseconds of each phase of one run. A moment that did not come in time, or not at all, takes none."""
    note.write_text("")
    begin = time.time_ns()
    process = subprocess.Popen(argv, cwd=here, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert os.read(process.stdout.fileno(), 16) == b"word\n", argv
    moments = {"word": time.time_ns()}
    assert process.wait() == 0, argv
    moments["end"] = time.time_ns()
    for line in note.read_text().split():
        moments["client"] = int(float(line) * 1e9)
    # What it noted of this run begins with the client that attached; another container may be made right after it.
    span = ["--since", f"{begin // 10**9}.{begin % 10**9:09}", "--until", f"{(moments['end'] + 10**9) // 10**9}"]
    events = subprocess.run(["docker", "events", *span, "--filter", "type=container", "--format", "{{json .}}"], env=env, capture_output=True, check=True)
    events = [json.loads(line) for line in events.stdout.splitlines()]
    own = next(event["id"] for event in events if event["Action"] == "attach" and begin < event["timeNano"] < moments["end"])
    moments |= {event["Action"]: event["timeNano"] for event in events if event["id"] == own and event["timeNano"] > begin}
    # Where one waited, its client is ours, from the moment at which it attached.
    moments.setdefault("client", moments["attach"])
    taken, before = {}, begin
    for phase, moment in PHASES.items():
        at = min(max(moments.get(moment, before), before), moments["end"])
        taken[phase], before = (at - before) / 1e6, at
    return taken | {"whole": (moments["end"] - begin) / 1e6}


def floor(lab, image, rounds):
    """Milliseconds of a program on an overlay in namespaces of its own, without any engine."""
    tree = lab.scratch / "tree"
    tree.mkdir()
    container = subprocess.run(["docker", "create", image, "true"], env=lab.env, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(f"docker export {container} | tar -x -C {tree}; docker rm {container}", shell=True, env=lab.env, stdout=subprocess.DEVNULL, check=True)
    for name in ("up", "work", "merged"):
        (lab.scratch / name).mkdir()
    mount = f"mount -t overlay o -o lowerdir={tree},upperdir=up,workdir=work merged && mount -t proc p merged/proc && exec chroot merged true"
    who = [] if os.geteuid() == 0 else ["--map-root-user"]
    argv = ["unshare", *who, "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "sh", "-c", mount]
    return statistics.median(lab.seconds(argv, lab.scratch) for _ in range(rounds)) * 1000


def measure(lab, ai, image, rounds):
    """The median of each phase, for each way; and the floor."""
    here, note = lab.project("phases"), lab.scratch / "called"
    docker = subprocess.run(["sh", "-c", "command -v docker"], capture_output=True, text=True, check=True).stdout.strip()
    wrapper = lab.scratch / "bin/docker"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/bash\n[[ $1 != run ]] || echo $EPOCHREALTIME >"{note}"\nexec {docker} "$@"\n')
    wrapper.chmod(0o755)
    env = lab.env | {"PATH": f"{wrapper.parent}:{lab.env['PATH']}"}
    lab.run([ai, "image", "pin"], here, stderr=subprocess.DEVNULL)
    ways = {
        "docker run": (["docker", "run", "--rm", "--init", "-i", image, *WORDS], {}),
        "cold": ([ai, "exec", *WORDS], {}),
        "guarded": ([ai, "exec", "--network", "guard", *WORDS], {}),
        "a container waits": ([ai, "exec", *WORDS], {"AI_SPARE": "1"}),
    }
    taken = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, (argv, more) in ways.items():
            if more:
                waits(lab, ai, here, env | more)
            phases = once(argv, here, env | more, note)
            if turn:
                taken[way].append(phases)
    time.sleep(2)
    lab.run([ai, "gc"], here, stderr=subprocess.DEVNULL)
    middle = {way: {phase: statistics.median(run[phase] for run in runs) for phase in runs[0]} for way, runs in taken.items()}
    return middle, floor(lab, image, rounds)


def waits(lab, ai, here, env, *of):
    """Returns once a container waits for `ai exec` here, or for the tool that is named."""
    while True:
        said = lab.run([ai, "spare", *(of or ("exec",))], here, env=env, stderr=subprocess.PIPE).stderr
        if b"-spare waits for" in said or b"one waits already" in said:
            return
        assert b"another one is being made" in said, said
        time.sleep(0.05)


def table(middle, least):
    """The section of the document."""
    rows = [f"| {phase} | {' | '.join(f'{times[phase]:.1f}' for times in middle.values())} |" for phase in [*PHASES, "whole"]]
    return "\n".join(
        [
            "",
            "## Where the time of a run goes",
            "",
            "`ai exec sh -c 'echo word'` in milliseconds, medians: on the bridge, guarded, and where a container waits; beside it `docker run --rm --init`.",
            f"The machine itself needs **{least:.1f} ms** for a program on an overlay in namespaces of its own (unshare(1), no engine).",
            "",
            f"| | {' | '.join(middle)} |",
            f"|---|{'---|' * len(middle)}",
            *rows,
            "",
            "![The same as a plot](performance.svg)",
            "",
        ]
    )


def plot(middle, least):
    """The same as bars of SVG."""
    bars = [*middle.items(), ("the machine itself", {"until its first word": least, "whole": least})]
    scale, left, height = 560 / max(times["whole"] for _, times in bars), 150, 34
    bottom = 30 + height * len(bars)
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{bottom + 110}" font-family="sans-serif" font-size="13">',
        "<title>Where the time of a run goes, in milliseconds</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for row, (way, times) in enumerate(bars):
        x, y = left, 20 + height * row
        svg.append(f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{way}</text>')
        for phase, colour in zip(PHASES, COLOURS):
            width = times.get(phase, 0) * scale
            if width:
                svg.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="22" fill="{colour}"><title>{phase}: {times[phase]:.1f} ms</title></rect>')
            x += width
        svg.append(f'<text x="{x + 6:.1f}" y="{y + 16}">{times["whole"]:.0f} ms</text>')
    for number, (phase, colour) in enumerate(zip(PHASES, COLOURS)):
        x, y = 20 + number % 3 * 245, bottom + 16 + number // 3 * 24
        svg.append(f'<rect x="{x}" y="{y}" width="14" height="14" fill="{colour}"/><text x="{x + 20}" y="{y + 12}">{phase}</text>')
    return "\n".join([*svg, "</svg>", ""])


def section(lab, ai, image, rounds):
    """The section, and its plot."""
    figures = measure(lab, ai, image, rounds)
    return table(*figures), plot(*figures)
