'[' 'a  b' '=' 'a b' ']' && 'eval' @@pieces@@
# Shell integration of ai for bash; made by: ai init bash
# All of it is quoted: other shells would trip over it.
'[' '-n' "$BASH_VERSION" ']' || 'eval' @@other@@
'[' '-n' "$BASH_VERSION" ']' && 'eval' @@script@@
'true'
# The last line tells that nothing was cut off: ai is whole
