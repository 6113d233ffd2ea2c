'[' 'a
b' '=' 'a b' ']' && eval @@pieces@@
# Shell integration of ai for fish; made by: ai init fish
# All of it is quoted: other shells would trip over it.
'[' -n "$FISH_VERSION" ']' || eval @@other@@
'[' -n "$FISH_VERSION" ']' && eval @@script@@
true
# The last line tells that nothing was cut off: ai is whole
