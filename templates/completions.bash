#<# What completes the words of ai in bash; `ai completions bash` prints it by itself. #>
__ai_bin=@@exe@@
__ai_known=@@known@@

@@completer@@
__ai_names=@@listed@@
if [[ $- == *i* ]]; then
    \builtin complete -o bashdefault -o default -F __ai_complete @@registered@@ 2>/dev/null || \builtin true
fi
