# Asked at the prompt of a fish, with the names behind the file that the answer goes to.
begin
    builtin printf '__ai_doctor program %s\n' "$__ai_bin"
    for __ai_name in $argv[2..]
        if builtin contains -- $__ai_name (abbr --list 2>/dev/null)
            set --local __ai_text (abbr --show | builtin string match --regex -- "^abbr .* -- $__ai_name (.*)\$")
            builtin printf '__ai_doctor alias %s %s\n' $__ai_name (builtin string trim --chars '\'"' -- "$__ai_text[2]")
            # An alias is a function here, which calls what it stands for.
        else if builtin functions --query -- $__ai_name
            set --local __ai_text (builtin functions -- $__ai_name | builtin string collect)
            builtin string match --quiet --regex -- '__ai_|\bai run ' $__ai_text
            or builtin printf '__ai_doctor function %s\n' $__ai_name
        else
            builtin printf '__ai_doctor missing %s\n' $__ai_name
        end
    end
    builtin printf '__ai_doctor end\n'
end >$argv[1]
