# Completion: the program knows what may stand at the cursor.
function __ai_complete
    set --local __ai_before (commandline --cut-at-cursor --current-process --tokenize)
    set --local __ai_word (commandline --cut-at-cursor --current-token)
    set --local __ai_lines ($__ai_bin complete --shell fish --index (count $__ai_before) -- $__ai_before "$__ai_word" 2>/dev/null)
    if builtin string match --quiet 'files*' -- "$__ai_lines[1]"
        __fish_complete_path "$__ai_word"
    end
    builtin printf '%s\n' $__ai_lines[2..]
end
