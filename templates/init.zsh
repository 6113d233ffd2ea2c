# Shell integration of ai for zsh; made by: ai init zsh
\builtin typeset -g __ai_bin=@@exe@@

@@library@@
\builtin unalias -- \
#% for function in functions
    @@function.name@@ \
#% endfor
    2>/dev/null || \builtin true
#% for function in functions
function @@function.name@@ {
    @@function.runner@@ @@function.subject@@ "$@"
}
#% endfor
#% if completions
#% include "completions"
#% endif
\builtin true
