# shellcheck shell=bash
# Shell integration of ai for bash; made by: ai init bash
__ai_bin=@@exe@@

#% include "ai.bash"
#% for function in functions
\builtin unalias @@function.name@@ 2>/dev/null || \builtin true
function @@function.name@@ {
    __ai_run @@function.tool@@ "$@"
}
#% endfor
