__ai_bin=@@exe@@

@@caller@@
\builtin unalias @@names@@ 2>/dev/null || \builtin true
#<# Copied without the rest, as into another shell, what runs a tool is still the same run. #>
#<# A function of that name that may only be read is no reason to run the tool on the host. #>
{
    \builtin true
#% for function in plain_runs
    function @@function.name@@ {
        if \builtin declare -F __ai_call >/dev/null; then __ai_call __ai_run @@exe@@ @@function.subject@@ "$@"; else @@exe@@ run @@function.subject@@ -- "$@"; fi
    } || __ai_take @@function.name@@ __ai_run @@function.subject@@
#% endfor
#% for function in plain_words
    function @@function.name@@ { __ai_call @@function.runner@@ @@exe@@ @@function.subject@@ "$@"; }
#% endfor
} 2>/dev/null
#<# A POSIX shell knows no functions of the other names. #>
if [[ -o posix ]]; then
    \builtin true
#% for function in dashed
    __ai_take @@function.name@@ @@function.runner@@ @@function.subject@@
#% endfor
else
    \builtin true
#% for function in dashed_runs
    function @@function.name@@ {
        if \builtin declare -F __ai_call >/dev/null; then __ai_call __ai_run @@exe@@ @@function.subject@@ "$@"; else @@exe@@ run @@function.subject@@ -- "$@"; fi
    }
#% endfor
#% for function in dashed_words
    function @@function.name@@ { __ai_call @@function.runner@@ @@exe@@ @@function.subject@@ "$@"; }
#% endfor
fi
#% if completions
#% include "completions"
#% endif
#% if held
__ai_held=(@@held@@)
__ai_prefix=@@prefix@@
__ai_tools=@@tools@@
__ai_new=1
@@look@@
#% endif
