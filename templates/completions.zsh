#<# What completes the words of ai in zsh; `ai completions zsh` prints it by itself. #>
#% if standalone
\builtin typeset -g __ai_bin=@@exe@@
@@caller@@
#% endif
@@register@@
#<# compinit may come before this, after it, twice or never: this registers at once if it can, and at the first prompt that finds it. #>
function __ai_register {
precmd_functions=(${precmd_functions:#__ai_register})
if ((${+functions[compdef]})); then
compdef __ai_tab ai @@completed@@
#% if precommands
compdef _precommand @@precommands@@
#% endif
else precmd_functions+=(__ai_register)
fi;
}
if [[ -o interactive ]]; then __ai_register; precmd_functions=(${precmd_functions:#__ai_register} __ai_register); fi
