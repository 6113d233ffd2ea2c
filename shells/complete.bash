# shellcheck shell=bash disable=SC2154 # the template that includes this sets __ai_bin

# Completion: the program knows what may stand at the cursor.
function __ai_complete() {
    \builtin local __ai_line='' __ai_files='' IFS=$' \t\n'
    COMPREPLY=()
    while IFS='' \builtin read -r __ai_line; do
        if [[ -z "${__ai_files}" ]]; then
            __ai_files="${__ai_line}"
        else
            COMPREPLY[${#COMPREPLY[@]}]="${__ai_line}"
        fi
    done <<<"$("${__ai_bin}" complete --shell bash --index "${COMP_CWORD}" -- "${COMP_WORDS[@]}" 2>/dev/null)"
    if [[ "${__ai_files}" == words ]]; then
        # Files would be wrong here. bash 3 cannot be told so.
        \builtin compopt +o default +o bashdefault 2>/dev/null || \builtin true
    fi
}
