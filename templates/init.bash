__ai_bin=@@exe@@

@@library@@
#% for function in functions
\builtin unalias @@function.name@@ 2>/dev/null || \builtin true
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
