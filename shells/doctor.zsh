\builtin unset HISTFILE
\builtin printf '\n__ai_doctor program %s\n' "${__ai_bin-}"
for __ai_name in "$@"; do
    case "$(\builtin whence -w -- "${__ai_name}")" in
        *:\ alias) \builtin printf '\n__ai_doctor alias %s %s\n' "${__ai_name}" "${aliases[${__ai_name}]}" ;;
        *:\ function)
            case "$(\builtin functions -- "${__ai_name}")" in
                *__ai_*) ;;
                *) \builtin printf '\n__ai_doctor function %s\n' "${__ai_name}" ;;
            esac
            ;;
        *) \builtin printf '\n__ai_doctor missing %s\n' "${__ai_name}" ;;
    esac
done
