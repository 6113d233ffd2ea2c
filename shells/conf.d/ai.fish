# Entry point for fisher and other fish plugin managers: loads what the installed program prints.
if not status is-interactive
    exit
end
if command --query ai
    command ai init fish | source
else
    echo 'ai: cannot load the shell integration: ai is not on PATH; hint: install it, or load this plugin after PATH is set' >&2
end
