# shellcheck shell=bash
# Entry point for bash plugin managers (bash-it, oh-my-bash, ...): loads what the installed program prints.
if type -P ai >/dev/null; then
    eval "$(command ai init bash)"
else
    printf '%s\n' 'ai: cannot load the shell integration: ai is not on PATH; hint: install it, or load this plugin after PATH is set' >&2
    # The host's own tools would run in silence.
    # shellcheck disable=SC2139
    for __ai_text in claude gemini codex glm; do alias "${__ai_text}=echo ai is not on PATH >&2; false"; done
    unset __ai_text
fi
