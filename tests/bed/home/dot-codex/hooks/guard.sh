#!/bin/sh
# Blocks what has the word in it.
if grep -q FORBIDDEN; then
    echo "CODEX-GUARD-BLOCKED" >&2
    exit 2
fi
