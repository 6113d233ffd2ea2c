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
    __ai_session="$("${__ai_bin}" sync in --owner "${__ai_owner}" --tty="${__ai_tty}" -- "$1")" || \builtin return
    [[ -n "${__ai_session}" && "${__ai_session}" != *[^0-9a-f]* ]] || { __ai_other "${__ai_bin}" "$1"; \builtin return; }
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
function __ai_ask {
    AI_TOOL="${AI_TOOL-}" "$1" word "$2" -- "${@:3}"
}

# The tool that the words are for; the default one where nothing says so.
function __ai_default {
    \builtin local __ai_tool=''
    __ai_tool="$(AI_TOOL="${AI_TOOL-}" "$1" route -- "${@:3}")" || \builtin return
    __ai_run "$1" "${__ai_tool}" "${@:3}"
}

# Only a function can set a variable of its shell. It is not exported.
function __ai_mode {
    \builtin local __ai_tool=''
    if [[ $# -ne 3 || "$3" == help || "$3" == -h || "$3" == --help ]]; then
        __ai_ask "$@"
        \builtin return
    fi
    __ai_tool="$("$1" use --name -- "$3")" && \builtin typeset -g AI_TOOL="${__ai_tool}"
}

# A word that is not a tool's.
function __ai_word {
    case "$2" in
        ai-mode) __ai_mode "$@" ;;
        ai-run) __ai_default "$@" ;;
        *) __ai_ask "$@" ;;
    esac
}

# Its answers are not those of our program.
function __ai_other {
    \builtin print -ru2 -- "ai: cannot run $2: $1 is another program now; hint: install ai again, then start a new shell"
    \builtin return 127
}

# What a line behind ours, or one that ran at the prompt, made of a tool's word: an alias that leads to a function of ours stays, all
# else would run the tool on the host. Behind the word and the tool: the line that was typed, if it has been read with that alias.
# The tool may also be one whose manifest came after this shell: its word would run it on the host, where there is one.
function __ai_hold {
    \builtin local __ai_text="${aliases[$2]-}${galiases[$2]-}"
    if ((!${__ai_held[(Ie)$3]})); then
        [[ "$3" == [a-z]* && "$3" != *[^a-z0-9_-]* && "$3" != (exec|ai|docker|podman|nerdctl|container) ]] || \builtin return 0
        ((!${+functions[$2]} && !${+builtins[$2]} && !${+builtins[$3]} && !${reswords[(Ie)$2]} && !${reswords[(Ie)$3]})) || \builtin return 0
        __ai_held+=("$3")
        __ai_put "$@"
        \builtin print -ru2 -- "ai: $2 is a tool now and runs in its container, in this shell too"
        \builtin return 0
    fi
    if [[ -z "${__ai_text}" ]]; then
        [[ "${functions[$2]-}" != *(__ai_|ai\ run\ )* ]] || \builtin return 0
    elif [[ -z "${galiases[$2]-}" ]]; then
        \builtin local -a __ai_words
        __ai_words=("${(@z)__ai_text}")
        while [[ "${__ai_words[1]}" == (*=*|noglob|nocorrect|time|-) ]]; do __ai_words[1]=(); done
        [[ "${__ai_words[1]}" != ai && "${functions[${__ai_words[1]#\\}]-}" != *__ai_* ]] || \builtin return 0
    fi
    __ai_put "$@"
    if [[ -n "${__ai_text}" && "${4-}" == *"$2"* ]]; then
        \builtin print -ru2 -- "ai: $2 would have run without its container, by an alias that came behind the line that loads ai, so nothing ran; type it again; hint: ai doctor shell zsh"
        \builtin trap - INT
        \builtin kill -INT $$
    fi
    \builtin print -ru2 -- "ai: a line behind the one that loads ai made $2 run without its container; it has one again; hint: ai doctor shell zsh"
}

# Gives a word the function that runs its tool.
function __ai_put {
    \builtin unalias -- "$2" 2>/dev/null
    functions[$2]="__ai_call __ai_run ${(qq)1} $3 \"\$@\""
}
