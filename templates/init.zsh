\builtin typeset -g __ai_bin=@@exe@@
@@caller@@
\builtin unalias -m @@pattern@@
#% if runs
#<# Copied without the rest, as into another shell, it is still the same run. #>
function @@runs@@ { if ((${+functions[__ai_call]})); then __ai_call __ai_run @@exe@@ @@run@@ "$@"; else @@exe@@ run @@run@@ -- "$@"; fi; }
#% endif
#% if words
function @@words@@ { __ai_call __ai_word @@exe@@ @@subject@@ "$@"; }
#% endif
#% if held
__ai_held=(@@subjects@@)
#<# What is defined behind this, or by what runs at the prompt or in another directory, would win in silence: looked at before each #>
#<# prompt and each command and in each directory. A line that sets some of these lists anew leaves another one, which brings them #>
#<# back; the last of them only does that, as a line that has just been read may run yet. #>
function __ai_look {
\builtin local __ai_name __ai_tool
for __ai_name in precmd preexec chpwd zshaddhistory; do
__ai_name+=_functions
\builtin set -A $__ai_name ${(P)__ai_name:#__ai_look} __ai_look
done
[[ "$1" != *$'\n' ]] || \builtin return 0
for __ai_tool in $__ai_held@@files@@; do
__ai_name=@@bare_prefix@@$__ai_tool
[[ -z $aliases[$__ai_name]$galiases[$__ai_name] && $functions[$__ai_name] == *__ai_* ]] || __ai_call __ai_hold $__ai_bin $__ai_name $__ai_tool "$1" || {
\builtin unalias -- $__ai_name 2>/dev/null
functions[$__ai_name]="__ai_call __ai_run \$__ai_bin $__ai_tool"
}
done
}
if [[ -o interactive ]]; then __ai_look; fi
#% endif
#% if completions
#% include "completions"
#% endif
\builtin true
