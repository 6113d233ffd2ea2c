#<# What completes the words of ai in bash; `ai completions bash` prints it by itself. #>
__ai_bin=@@exe@@

@@completer@@
__ai_names=' ai '
#% for name in completed
__ai_names+=@@name@@' '
#% endfor
if [[ $- == *i* ]]; then
    \builtin complete -o bashdefault -o default -F __ai_complete ai 2>/dev/null || \builtin true
#% for name in completed
    \builtin complete -o bashdefault -o default -F __ai_complete @@name@@ 2>/dev/null || \builtin true
#% endfor
#% for name in precommands
    \builtin complete -o bashdefault -o default -F __ai_complete @@name@@ 2>/dev/null || \builtin true
#% endfor
fi
