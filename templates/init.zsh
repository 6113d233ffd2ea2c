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
#<# What is defined behind this, or by what runs at the prompt, would win in silence: looked at before each prompt and before each #>
#<# command, so that a line that sets one of the two lists anew takes away only one. #>
function __ai_look {
\builtin emulate -L zsh -o noaliases
precmd_functions=(${precmd_functions:#__ai_look} __ai_look) preexec_functions=(${preexec_functions:#__ai_look} __ai_look)
\builtin local __ai_name __ai_tool
for __ai_name in @@held@@; do [[ -z $aliases[$__ai_name]$galiases[$__ai_name] && $functions[$__ai_name] == *__ai_* ]] || __ai_call __ai_hold $__ai_bin $__ai_name "${__ai_name#@@prefix@@}" "$1" || { \builtin unalias -- $__ai_name 2>/dev/null; functions[$__ai_name]='__ai_fetch $__ai_bin $0'; }; done
#% if tools
for __ai_tool in @@tools@@/*.toml(N:t:r); do __ai_name=@@prefix@@$__ai_tool; ((${+functions[$__ai_name]})) || __ai_call __ai_meet $__ai_bin $__ai_name $__ai_tool; done
#% endif
}
if [[ -o interactive ]]; then precmd_functions=(${precmd_functions:#__ai_look} __ai_look) preexec_functions=(${preexec_functions:#__ai_look} __ai_look); fi
#% endif
#% if completions
#% include "completions"
#% endif
\builtin true
