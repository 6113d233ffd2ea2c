# Completion: the program knows what may stand at the cursor.
function __ai_complete {
    \builtin local -a __ai_lines
    \builtin local -i __ai_code=1
    __ai_lines=("${(@f)$("${__ai_bin}" complete --shell zsh --index "$((CURRENT - 1))" \
        -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    \builtin local __ai_files="${__ai_lines[1]-}"
    __ai_lines=("${(@)__ai_lines[2,-1]}")
    (($#__ai_lines)) && _describe -t words word __ai_lines && __ai_code=0
    [[ "${__ai_files}" == files ]] && _files && __ai_code=0
    \builtin return __ai_code
}

# compinit may come before this, after it, twice or never: registers at the first prompt that finds it.
function __ai_register {
    \builtin emulate -L zsh
    \builtin typeset -ga precmd_functions
    precmd_functions=("${(@)precmd_functions:#__ai_register}")
    if [[ "${1-}" == later ]] || ! \builtin whence compdef >/dev/null; then
        precmd_functions+=(__ai_register)
        \builtin return 0
    fi
    compdef __ai_complete "${__ai_completed[@]}"
    if (($#__ai_precommands)); then compdef _precommand "${__ai_precommands[@]}"; fi
}
