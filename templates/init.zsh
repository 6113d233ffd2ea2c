# Shell integration of ai for zsh; made by: ai init zsh
\builtin typeset -g __ai_bin=@@exe@@

#% include "ai.zsh"
#% for function in functions
\builtin unalias -- @@function.name@@ 2>/dev/null || \builtin true
function @@function.name@@ {
    __ai_run @@function.tool@@ "$@"
}
#% endfor
\builtin true
