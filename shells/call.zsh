# What the functions of people's words call: a function of the library, the path of our program, the word, its arguments. The
# library comes from the program when it is first needed: it takes zsh longer to read than all else that loads. If our program is
# gone, nothing may run, least of all the tool without its container.
function __ai_call {
    \builtin emulate -L zsh -o noaliases
    # What it prints would be taken for what our program says.
    \builtin trap - DEBUG
    \builtin local __ai_text=
    if [[ -x "$2" ]]; then
        ((${+functions[__ai_run]})) || __ai_text="$("$2" init zsh --library)"
        [[ "${__ai_text}" != *'# ai is whole' ]] || \builtin eval "${__ai_text}"
        if ((${+functions[__ai_run]})); then
            "$@"
            \builtin return
        fi
    fi
    \builtin print -ru2 -- "ai: cannot run $3: $2 is gone, may not be executed, or is another program; hint: install ai again, then start a new shell"
    \builtin return 127
}
