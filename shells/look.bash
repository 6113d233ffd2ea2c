# shellcheck shell=bash disable=SC2154 # the template that includes this sets the variables

# What a line behind ours, or one that ran at the prompt, made of the tools' words, before each prompt; the library mends it. Reading
# functions takes a process, so they are read before the first prompt, where another directory may have brought a hook's, and from then
# on only if one had been replaced: what did that may do it again. Aliases have no names that bash 3 could tell.
function __ai_look() {
    \builtin local __ai_code=$? __ai_name='' __ai_text='' IFS=$' \t\n'
    \builtin local - 2>/dev/null && \builtin set +kxTef
    for __ai_name in "${__ai_held[@]}"; do
        __ai_text+="${BASH_ALIASES[${__ai_name}]-}"
        \builtin declare -F -- "${__ai_name}" >/dev/null || __ai_text+=' '
    done
    if [[ -z "${__ai_text}" && "${__ai_new}${PWD}" != "${__ai_where-}" ]]; then
        __ai_text="$(\builtin declare -f -- "${__ai_held[@]}")"
        __ai_name="${__ai_text//__ai_call __ai_run/}"
        if ((${#__ai_text} - ${#__ai_name} == 18 * ${#__ai_held[@]})); then __ai_text=''; fi
    fi
    __ai_new='' __ai_where="${PWD}"
    if [[ -n "${__ai_text}" ]] && ! __ai_call __ai_hold "${__ai_bin}" ai; then
        for __ai_name in "${__ai_held[@]}"; do __ai_take "${__ai_name}" __ai_run "${__ai_name#"${__ai_prefix}"}"; done
    fi
    # Manifests that came after this shell: words that would run the tools on the host. Where nothing matches, failglob is an error.
    if [[ -n "${__ai_tools}" && -d "${__ai_tools}" ]] && ! \builtin shopt -q failglob; then
        for __ai_name in "${__ai_tools}"/*.toml; do
            __ai_name="${__ai_name##*/}"
            __ai_name="${__ai_name%.toml}"
            \builtin declare -F -- "${__ai_prefix}${__ai_name}" >/dev/null || __ai_call __ai_meet "${__ai_bin}" "${__ai_name}"
        done
    fi
    \builtin return "${__ai_code}"
}

# A variable that cannot be changed is none of ours to change. From bash 5.1 on, a line that sets it anew sets the first of several
# commands, so ours is far behind.
function __ai_watch() {
    \builtin local PROMPT_COMMAND 2>/dev/null || \builtin return
    case " ${PROMPT_COMMAND[*]-} " in *__ai_look*) \builtin return 1 ;; esac
}
if [[ $- == *i* ]] && __ai_watch; then
    if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] > 500)); then
        PROMPT_COMMAND[7777]=__ai_look
    else
        # shellcheck disable=SC2128,SC2178
        PROMPT_COMMAND="${PROMPT_COMMAND:+${PROMPT_COMMAND}"$'\n'"}__ai_look"
    fi
fi
