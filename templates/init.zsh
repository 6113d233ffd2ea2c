\builtin typeset -g __ai_bin=@@exe@@
@@caller@@
\builtin unalias -m @@pattern@@
#% if held
#<# The name of the function that runs, also where arrays begin at 0. #>
#<# Copied without the rest, as into another shell, it is still the same run. #>
function @@held@@ { if ((${+functions[__ai_call]})); then __ai_call __ai_run @@exe@@ "${${funcstack[@]:0:1}#@@prefix@@}" "$@"; else @@exe@@ run "${${funcstack[@]:0:1}#@@prefix@@}" -- "$@"; fi; }
#% endif
#% for function in functions
#% if function.alone
function @@function.name@@ { if ((${+functions[__ai_call]})); then __ai_call __ai_run @@exe@@ @@function.subject@@ "$@"; else @@exe@@ run @@function.subject@@ -- "$@"; fi; }
#% elif function.other
function @@function.name@@ { __ai_call @@function.runner@@ @@exe@@ @@function.subject@@ "$@"; }
#% endif
#% endfor
#% if words
function @@words@@ { __ai_call __ai_word @@exe@@ "${${funcstack[@]:0:1}#@@prefix@@}" "$@"; }
#% endif
#% if held
#<# What is defined behind this would win in silence: looked at once, before the first prompt. #>
function __ai_look {
\builtin emulate -L zsh -o noaliases
precmd_functions=(${precmd_functions:#__ai_look})
\builtin local __ai_name
for __ai_name in @@held@@; do [[ -z $aliases[$__ai_name]$galiases[$__ai_name] && $functions[$__ai_name] == *__ai_* ]] || __ai_call __ai_hold $__ai_bin $__ai_name "${__ai_name#@@prefix@@}"; done
}
if [[ -o interactive ]]; then precmd_functions=(${precmd_functions:#__ai_look} __ai_look); fi
#% endif
#% if completions
#% include "completions"
#% endif
\builtin true
