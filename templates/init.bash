# shellcheck shell=bash
# Shell integration of ai for bash; made by: ai init bash
__ai_bin=@@exe@@

@@library@@
#% for function in functions
\builtin unalias @@function.name@@ 2>/dev/null || \builtin true
#% if function.plain
function @@function.name@@ {
    @@function.runner@@ @@function.subject@@ "$@"
}
#% else
# A POSIX shell knows no such name.
if [[ ! -o posix ]]; then
    function @@function.name@@ {
        @@function.runner@@ @@function.subject@@ "$@"
    }
fi
#% endif
#% endfor
#% if completions
#% include "completions"
#% endif
