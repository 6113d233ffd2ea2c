# Each of these gets the path of our program, then the word that was typed, then its arguments; `__ai_call` has prepared the shell.

# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run {
    \builtin local __ai_bin="$1" __ai_session='' __ai_plan='' __ai_tty=none
    \builtin local -i __ai_code=130
    \builtin shift
    if [[ "${2-}" == --native || "${2-}" == --local ]]; then
        __ai_plan="$("${__ai_bin}" resolve --shell zsh -- "$@")" || \builtin return
        \builtin eval "${__ai_plan}"
        \builtin return
    fi
    if [[ -t 0 ]]; then
        __ai_tty=stdin
        [[ -t 1 ]] && __ai_tty=both
    fi
    \builtin zmodload -F zsh/system p:sysparams 2>/dev/null
    # Of this process, which lives as long as the run: inside `$(…)` it would be that of the substitution.
    \builtin local __ai_owner="${sysparams[pid]:-$$}"
    __ai_session="$("${__ai_bin}" sync in --owner "${__ai_owner}" -- "$1")" || \builtin return
    # In a pipe or a subshell, Ctrl-C would end the shell itself before it closed the session.
    \builtin trap : INT
    {
        __ai_plan="$("${__ai_bin}" resolve --shell zsh --session "${__ai_session}" --tty="${__ai_tty}" -- "$@")" \
            && \builtin eval "${__ai_plan}"
        __ai_code=$?
    } always {
        "${__ai_bin}" sync out --code "${__ai_code}" -- "${__ai_session}"
    }
    \builtin return "${__ai_code}"
}

# A word that the program itself understands, with this shell's default tool.
function __ai_word {
    AI_TOOL="${AI_TOOL-}" "$1" word "$2" -- "${@:3}"
}

# The default tool.
function __ai_default {
    \builtin local __ai_tool=''
    __ai_tool="$(AI_TOOL="${AI_TOOL-}" "$1" use --quiet)" || \builtin return
    __ai_run "$1" "${__ai_tool}" "${@:3}"
}

# Only a function can set a variable of its shell. It is not exported.
function __ai_mode {
    \builtin local __ai_tool=''
    if [[ $# -ne 3 || "$3" == help || "$3" == -h || "$3" == --help ]]; then
        __ai_word "$@"
        \builtin return
    fi
    __ai_tool="$("$1" use --name -- "$3")" && \builtin typeset -g AI_TOOL="${__ai_tool}"
}
