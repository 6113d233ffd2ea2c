#!/bin/sh
# Blocks all.
echo CLAUDE-SKILL-GUARD >&2
exit 2
