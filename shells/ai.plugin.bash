# shellcheck shell=bash
# Entry point for bash plugin managers (bash-it, oh-my-bash, ...): loads what the installed program prints.
if type -P ai >/dev/null; then
    eval "$(command ai init bash)"
else
    printf '%s\n' 'ai: cannot load the shell integration: ai is not on PATH; hint: install it, or load this plugin after PATH is set' >&2
fi
