# What completes the words of ai in zsh; `ai completions zsh` prints it by itself.
\builtin typeset -g __ai_bin=@@exe@@
\builtin typeset -ga __ai_completed __ai_precommands
__ai_completed=(
    ai
#% for name in completed
    @@name@@
#% endfor
)
__ai_precommands=(
#% for name in precommands
    @@name@@
#% endfor
)

@@completer@@
if [[ -o interactive ]]; then __ai_register later; fi
