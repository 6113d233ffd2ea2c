builtin test 'a
b' = 'a b'; and builtin printf '%s\n' 'ai: cannot load the shell integration: it came in pieces; hint: command ai init fish | source' >&2
# Shell integration of ai for fish; made by: ai init fish
@@script@@
# The last line tells that nothing was cut off: ai is whole
