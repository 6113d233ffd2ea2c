#!/bin/sh
if grep -q 'good day'; then
    echo '{"hookSpecificOutput": {"hookEventName": "BeforeAgent", "additionalContext": "GEMINI-HOOK-CONTEXT"}}'
fi
