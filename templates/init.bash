__ai_bin=@@exe@@

@@library@@
\builtin unalias @@names@@ 2>/dev/null || \builtin true
#% for function in functions
#% if function.plain
function @@function.name@@ {
#% if function.alone
    if ! \builtin declare -F __ai_run >/dev/null; then
        # Copied without the library, as into another shell, it is still the same run.
        @@exe@@ run @@function.subject@@ -- "$@"
        \builtin return
    fi
#% endif
    @@function.runner@@ @@exe@@ @@function.subject@@ "$@"
}
#% else
# A POSIX shell knows no such name.
if [[ ! -o posix ]]; then
    function @@function.name@@ {
        @@function.runner@@ @@exe@@ @@function.subject@@ "$@"
    }
fi
#% endif
#% endfor
#% if completions
#% include "completions"
#% endif
#% if held
__ai_held=(@@held@@)
__ai_prefix=@@prefix@@
if [[ $- == *i* && "${PROMPT_COMMAND-}" != *__ai_look* ]] && __ai_watch; then
    PROMPT_COMMAND="__ai_look${PROMPT_COMMAND:+;${PROMPT_COMMAND}}"
fi
#% endif
