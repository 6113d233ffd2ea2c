# shellcheck shell=bash disable=SC2154 # the template that includes this sets __ai_bin and __ai_known

# Completion: the program knows what may stand at a place. It is asked once for each place: the words before it, and whether an
# option is begun there; then this shell picks what fits, without another process. What is the same in all shells it wrote into
# files, so that for most places nobody is asked.
__ai_places=()
__ai_answers=()
# A name of the person's own, such as `alias c=claude`, is completed as what it stands for.
function __ai_named() {
    \builtin local __ai_text='' IFS=$'\n'
    case "${__ai_names-}" in *" ${__ai_name} "*) \builtin return 0 ;; esac
    __ai_text="$(\builtin alias -- "${__ai_name}" 2>/dev/null)" || __ai_text="$(\builtin declare -f -- "${__ai_name}")" || \builtin return 0
    for __ai_text in ${__ai_text//[!A-Za-z0-9_-]/"${IFS}"}; do
        case "${__ai_names-}" in *" ${__ai_text} "*) __ai_name="${__ai_text}" && \builtin return 0 ;; esac
    done
}
# The answer from the file of the words before the first option, which has a place in each line. bash 3 has no `mapfile`, and asks.
function __ai_look_up() {
    \builtin local __ai_line='' __ai_start="${__ai_place}"$'\x1e' __ai_file="${__ai_place%%$'\x1f'-*}"
    \builtin local -a __ai_lines
    __ai_file="${__ai_file%$'\x1f'}"
    __ai_file="${__ai_known}/${__ai_file//$'\x1f'/ }"
    [[ -f "${__ai_file}" ]] && \builtin mapfile -t __ai_lines 2>/dev/null <"${__ai_file}" || \builtin return 0
    for __ai_line in "${__ai_lines[@]}"; do
        if [[ "${__ai_line}" == "${__ai_start}"* ]]; then
            __ai_answer="${__ai_line#"${__ai_start}"}"
            \builtin return 0
        fi
    done
}
function __ai_complete() {
    # The first of these is between the words of a place, and both are between the lines of an answer.
    \builtin local IFS=$'\x1f\n' __ai_word="${COMP_WORDS[COMP_CWORD]-}" __ai_kind='' __ai_place='' __ai_answer='' __ai_at=0 __ai_set=$- __ai_name="${COMP_WORDS[0]-}"
    __ai_name="${__ai_name##*/}"
    __ai_named
    case "${__ai_word}" in
        # One word where `=` does not break words.
        --*=*) __ai_kind="${__ai_word%%=*}=" ;;
        -*) __ai_kind=- ;;
        = | :) __ai_kind=${__ai_word} __ai_word='' ;;
    esac
    \builtin set -- "${__ai_name}" "${COMP_WORDS[@]:1:COMP_CWORD-1}" "${__ai_kind}"
    __ai_place="$*"
    while ((__ai_at < ${#__ai_places[@]})) && [[ "${__ai_places[__ai_at]}" != "${__ai_place}" ]]; do
        __ai_at=$((__ai_at + 1))
    done
    if ((__ai_at < ${#__ai_places[@]})); then
        __ai_answer="${__ai_answers[__ai_at]}"
    else
        __ai_look_up
        if [[ -z "${__ai_answer}" ]]; then
            __ai_answer="$("${__ai_bin}" complete --shell bash --index "${COMP_CWORD}" -- "$@" 2>/dev/null)"
        fi
        if [[ -n "${__ai_answer}" && "${__ai_answer%%["${IFS}"]*}" != *' once' ]]; then
            __ai_places[__ai_at]="${__ai_place}"
            __ai_answers[__ai_at]="${__ai_answer}"
        fi
    fi
    COMPREPLY=()
    if [[ "${__ai_answer}" != files* ]]; then
        # Files would be wrong here. bash 3 cannot be told so.
        \builtin compopt +o default +o bashdefault 2>/dev/null || \builtin true
    fi
    \builtin set -f
    # The first line is no candidate.
    # shellcheck disable=SC2086 # a word is a line
    \builtin set -- ${__ai_answer}
    while (($# > 1)); do
        \builtin shift
        if [[ "$1" == "${__ai_word}"* ]]; then COMPREPLY[${#COMPREPLY[@]}]="$1"; fi
    done
    if [[ "${__ai_set}" != *f* ]]; then \builtin set +f; fi
}
