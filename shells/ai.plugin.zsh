# Entry point for zsh plugin managers (oh-my-zsh, zinit, antidote, ...): loads what the installed program prints.
if (( ${+commands[ai]} )); then
    eval "$(command ai init zsh)"
else
    print -u2 -- 'ai: cannot load the shell integration: ai is not on PATH; hint: install it, or load this plugin after PATH is set'
    # The host's own tools would run in silence.
    for __ai_text in claude gemini codex glm; do alias "${__ai_text}=echo ai is not on PATH >&2; false"; done
    unset __ai_text
fi
