# What the functions of people's words call: a function of the library, the path of our program, the word, its arguments. The
# library comes from the program when it is first needed: it takes zsh longer to read than all else that loads.
function __ai_call {
    \builtin emulate -L zsh -o noaliases
    # What it prints would be taken for what our program says.
    \builtin trap - DEBUG
    __ai_fetch "$2" "$3" && "$@"
}

# If our program is gone, nothing may run, least of all the tool without its container.
function __ai_fetch {
    \builtin emulate -L zsh -o noaliases
    if [[ ! -x "$1" ]]; then
        \builtin local __ai_text='is gone; hint: install ai again, then start a new shell'
        [[ ! -e "$1" ]] || __ai_text="may not be executed; hint: chmod +x $1"
        \builtin print -ru2 -- "ai: cannot run $2: $1 ${__ai_text}"
        \builtin return 127
    fi
    ((${+functions[__ai_run]})) && \builtin return
    \builtin trap - DEBUG
    \builtin local __ai_text="$("$1" init zsh --library)"
    [[ "${__ai_text}" != *'function __ai_run'* ]] || \builtin eval "${__ai_text}"
    ((${+functions[__ai_run]})) && \builtin return
    \builtin print -ru2 -- "ai: cannot run $2: $1 is another program now; hint: start a new shell"
    \builtin return 127
}
