# Entry point for fisher and other fish plugin managers: loads what the installed program prints.
if not status is-interactive
    exit
end
if command --query ai
    command ai init fish | source
else
    echo 'ai: cannot load the shell integration: ai is not on PATH; hint: install it, or load this plugin after PATH is set' >&2
    # The host's own tools would run in silence.
    for __ai_text in claude gemini codex glm
        alias $__ai_text 'echo ai is not on PATH >&2; false'
    end
end
