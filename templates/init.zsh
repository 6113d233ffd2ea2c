# Shell integration of ai for zsh; made by: ai init zsh
\builtin typeset -g __ai_bin=@@exe@@

@@library@@
#% for function in functions
\builtin unalias -- @@function.name@@ 2>/dev/null || \builtin true
function @@function.name@@ {
    @@function.runner@@ @@function.subject@@ "$@"
}
#% endfor
#% if completions
#% include "completions"
#% endif
\builtin true
