# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run() {
    \builtin emulate -L zsh
    \builtin local __ai_session='' __ai_plan=''
    \builtin local -i __ai_code=130
    if [[ ! -x "${__ai_bin}" ]]; then
        \builtin print -ru2 -- "ai: cannot run $1: ${__ai_bin} is gone; hint: install ai again, or start a new shell"
        \builtin return 127
    fi
    if [[ "${2-}" == --native || "${2-}" == --local ]]; then
        __ai_plan="$("${__ai_bin}" resolve --shell zsh -- "$@")" || \builtin return
        \builtin eval "${__ai_plan}"
        \builtin return
    fi
    # Never `local -a x=()` behind a quoted word: zsh would read it as the definition of a function named `builtin`.
    \builtin local -a __ai_tty
    [[ -t 0 && -t 1 ]] && __ai_tty=(--tty)
    \builtin zmodload -F zsh/system p:sysparams 2>/dev/null
    # Of this process, which lives as long as the run: inside `$(…)` it would be that of the substitution.
    \builtin local __ai_owner="${sysparams[pid]:-$$}"
    __ai_session="$("${__ai_bin}" sync in --owner "${__ai_owner}" -- "$1")" || \builtin return
    {
        __ai_plan="$("${__ai_bin}" resolve --shell zsh --session "${__ai_session}" "${__ai_tty[@]}" -- "$@")" \
            && \builtin eval "${__ai_plan}"
        __ai_code=$?
    } always {
        "${__ai_bin}" sync out --code "${__ai_code}" -- "${__ai_session}"
    }
    \builtin return "${__ai_code}"
}
