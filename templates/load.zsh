'builtin' '[' 'a  b' '=' 'a b' ']' && 'builtin' 'print' '-ru2' '--' 'ai: cannot load the shell integration: it came in pieces; hint: eval "$(command ai init zsh)", with the quotes'
# Shell integration of ai for zsh; made by: ai init zsh
# Quoted, as zsh expands aliases while it reads, global ones in every place; what this loads is read with aliases off.
functions[__ai_load]='\builtin \emulate \-L \zsh \-o \noaliases; \builtin \eval "$1"'
'__ai_load' @@script@@
'builtin' 'unfunction' '__ai_load'
# The last line tells that nothing was cut off: ai is whole
