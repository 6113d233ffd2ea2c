'[' 'a  b' '=' 'a b' ']' && 'eval' @@pieces@@
# Shell integration of ai for zsh; made by: ai init zsh
# All of it is quoted: zsh expands aliases while it reads, global ones in every place, and other shells would trip over it.
'[' '-n' "$ZSH_VERSION" ']' || 'eval' @@other@@
'[' '-n' "$ZSH_VERSION" ']' && 'emulate' 'zsh' '-o' 'noaliases' '-c' @@script@@
'true'
# The last line tells that nothing was cut off: ai is whole
