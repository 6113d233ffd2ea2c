"""What the mock models make of a prompt: an echo, or one command for the tool to run, then what it printed.

Words in the user's text steer it: `RUN: <command>` asks the tool for a shell command, `HOLD: <ms>` makes the answer late,
`FIND: <word>` asks whether the word stands anywhere else in the request, `SAY: <JSON string>` is the answer to the letter.
"""

import json
import re
import time

RUN = re.compile(r"^\s*RUN: (.+)$", re.MULTILINE)
HOLD = re.compile(r"\bHOLD: (\d+)")
FIND = re.compile(r"\bFIND: (\S+)")
SAY = re.compile(r"^\s*SAY: (\".*\")\s*$", re.MULTILINE)


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def command(text):
    found = RUN.search(text)
    return found.group(1).strip() if found else None


def hold(text):
    found = HOLD.search(text)
    if found:
        time.sleep(min(int(found.group(1)), 60_000) / 1000)


def answer(api, text, output=None, body=None):
    say = SAY.findall(text)
    if say:
        return json.loads(say[-1])
    find = FIND.search(text)
    if find:
        word = find.group(1)
        elsewhere = json.dumps(body, ensure_ascii=False).count(word) - text.count(word)
        return f"mock-{api} {'found' if elsewhere > 0 else 'did not find'} {word}"
    heard = f"mock-{api} heard: {last_line(text)}"
    return heard if output is None else f"{heard}\nmock-{api} ran it: {output.strip()}"
