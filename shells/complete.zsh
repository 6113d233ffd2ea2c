# Completion: the program knows what may stand at a place. It is asked once for each place: the words before it, and whether an
# option is begun there; then this shell picks what fits, without another process. What is the same in all shells it wrote into
# files, so that for most places nobody is asked.
\builtin typeset -gA __ai_answers
function __ai_complete {
    # The options that functions of completion have: those of this one are otherwise as zsh begins with.
    \builtin setopt localoptions ${_comp_options[@]}
    \builtin local __ai_word="${(Q)PREFIX}" __ai_kind='' __ai_place='' __ai_answer=''
    \builtin local -i __ai_code=1
    case "${__ai_word}" in
        --*=*) __ai_kind="${__ai_word%%=*}=" ;;
        -*) __ai_kind=- ;;
    esac
    # A name of the person's own (`compdef c=claude`) is completed as what it stands for.
    \builtin local -a __ai_before
    __ai_before=("${${service:-${(Q)words[1]}}##*/}" "${(@Q)words[2,CURRENT-1]}")
    __ai_place="${(pj:\n:)__ai_before}"$'\n'"${__ai_kind}"
    __ai_answer="${__ai_answers[${__ai_place}]-}"
    if [[ -z "${__ai_answer}" ]]; then
        __ai_look_up "${__ai_known}/${${${__ai_place%%$'\n'-*}%$'\n'}//$'\n'/ }"
        [[ -n "${__ai_answer}" ]] || __ai_answer="$("${__ai_bin}" complete --shell zsh --index "$((CURRENT - 1))" \
            -- "${__ai_before[@]}" "${__ai_kind}" 2>/dev/null)"
        [[ "${__ai_answer%%$'\n'*}" == *' once' ]] || __ai_answers[${__ai_place}]="${__ai_answer}"
    fi
    \builtin local -a __ai_lines
    __ai_lines=("${(@f)__ai_answer}")
    __ai_lines=("${(@)__ai_lines[2,-1]}")
    (($#__ai_lines)) && _describe -t words word __ai_lines && __ai_code=0
    [[ "${__ai_answer}" == files* ]] && _files && __ai_code=0
    \builtin return __ai_code
}

# The answer from a file of places and answers, all ended by NUL.
function __ai_look_up {
    [[ -f "$1" ]] || \builtin return 0
    \builtin local __ai_text="$(<"$1")"
    \builtin local -A __ai_file
    __ai_file=("${(@0)__ai_text%$'\0'}") 2>/dev/null
    __ai_answer="${__ai_file[${__ai_place}]-}"
}
