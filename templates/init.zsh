\builtin typeset -g __ai_bin=@@exe@@
@@caller@@
\builtin unalias -- \
#% for function in functions
@@function.name@@ \
#% endfor
2>/dev/null
#% for function in functions
#% if function.alone
#<# Copied without the rest, as into another shell, it is still the same run. #>
function @@function.name@@ { if ((${+functions[__ai_call]})); then __ai_call __ai_run @@exe@@ @@function.subject@@ "$@"; else @@exe@@ run @@function.subject@@ -- "$@"; fi; }
#% elif not function.word
function @@function.name@@ { __ai_call @@function.runner@@ @@exe@@ @@function.subject@@ "$@"; }
#% endif
#% endfor
#% if words
function \
#% for name in words
@@name@@ \
#% endfor
{ __ai_call __ai_word @@exe@@ "${funcstack[1]#@@prefix@@}" "$@"; }
#% endif
#% if completions
#% include "completions"
#% endif
\builtin true
