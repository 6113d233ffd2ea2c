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
__ai_tools=@@tools@@
__ai_new=1
if [[ $- == *i* ]] && __ai_watch; then
    if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] > 500)); then
        PROMPT_COMMAND[7777]=__ai_look
    else
        # shellcheck disable=SC2128,SC2178
        PROMPT_COMMAND="${PROMPT_COMMAND:+${PROMPT_COMMAND}"$'\n'"}__ai_look"
    fi
fi
#% endif
