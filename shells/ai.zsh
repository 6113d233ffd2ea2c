# Whether our program is still there: if not, nothing may run, least of all the tool without its container.
function __ai_found {
    [[ -x "${__ai_bin}" ]] && \builtin return
    \builtin print -ru2 -- "ai: cannot run $1: ${__ai_bin} is gone; hint: install ai again, then start a new shell"
    \builtin return 127
}

# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run {
    \builtin emulate -L zsh
    \builtin local __ai_session='' __ai_plan='' __ai_tty=none
    \builtin local -i __ai_code=130
    __ai_found "$1" || \builtin return
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
    \builtin emulate -L zsh
    __ai_found "$1" || \builtin return
    AI_TOOL="${AI_TOOL-}" "${__ai_bin}" word "$1" -- "${@:2}"
}

# The default tool.
function __ai_default {
    \builtin emulate -L zsh
    \builtin local __ai_tool=''
    __ai_found "$1" || \builtin return
    __ai_tool="$(AI_TOOL="${AI_TOOL-}" "${__ai_bin}" use --quiet)" || \builtin return
    __ai_run "${__ai_tool}" "${@:2}"
}

# Only a function can set a variable of its shell. It is not exported.
function __ai_mode {
    \builtin emulate -L zsh
    \builtin local __ai_tool=''
    if [[ $# -ne 2 || "$2" == help || "$2" == -h || "$2" == --help ]]; then
        __ai_word "$@"
        \builtin return
    fi
    __ai_found "$1" || \builtin return
    __ai_tool="$("${__ai_bin}" use --name -- "$2")" && \builtin typeset -g AI_TOOL="${__ai_tool}"
}
