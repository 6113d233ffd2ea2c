# Asked at the prompt of a zsh, with the names behind the file that the answer goes to; no alias is read in here.
HISTFILE=
{
    \builtin print -r -- "__ai_doctor program ${__ai_bin-}"
    for __ai_name in "${@:2}"; do
        __ai_text="${aliases[${__ai_name}]-}${galiases[${__ai_name}]-}"
        if [[ -n "${__ai_text}" ]]; then
            \builtin print -r -- "__ai_doctor alias ${__ai_name} ${__ai_text//$'\n'/ }"
        elif [[ -z "${functions[${__ai_name}]-}" ]]; then
            \builtin print -r -- "__ai_doctor missing ${__ai_name}"
        elif [[ "${functions[${__ai_name}]}" != *(__ai_|ai\ run\ )* ]]; then
            \builtin print -r -- "__ai_doctor function ${__ai_name}"
        fi
    done
    (( ${+functions[compdef]} )) || \builtin print -r -- '__ai_doctor uncompleted'
    \builtin print -r -- '__ai_doctor end'
} >|"$1"
\builtin kill -KILL $$
