# Each of these gets the path of our program, then the word that was typed, then its arguments.

# Whether our program is still there: if not, nothing may run, least of all the tool without its container.
function __ai_found
    builtin test -x "$argv[1]"; and return
    if builtin test -e "$argv[1]"
        builtin printf '%s\n' "ai: cannot run $argv[2]: $argv[1] may not be executed; hint: chmod +x $argv[1]" >&2
        return 127
    end
    builtin printf '%s\n' "ai: cannot run $argv[2]: $argv[1] is gone; hint: install ai again, then start a new shell" >&2
    return 127
end

# Sessions that are not closed yet. Ctrl-C in a pipe ends fish's functions where they are, so what they left open is closed
# before the next prompt.
set --query __ai_open; or set --global __ai_open
function __ai_close --on-event fish_postexec
    for __ai_session in $__ai_open
        $__ai_bin sync out --code 130 -- $__ai_session
    end
    set --global __ai_open
end

# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run
    __ai_found $argv[1..2]; or return
    set --local __ai_bin $argv[1]
    set --erase argv[1]
    # Words, not text to evaluate: in a pipe, `eval` would hold back all output until the tool has ended.
    if builtin contains -- "$argv[2]" --native --local
        set --local __ai_argv ($__ai_bin resolve --format argv0 -- $argv | builtin string split0)
        set --local __ai_code $pipestatus[1]
        builtin test $__ai_code -eq 0; or return $__ai_code
        $__ai_argv
        return
    end
    set --local __ai_tty none
    if builtin test -t 0
        set __ai_tty stdin
        builtin test -t 1; and set __ai_tty both
    end
    set --local __ai_session ($__ai_bin sync in --owner $fish_pid --tty=$__ai_tty -- $argv[1]); or return
    if not builtin string match --quiet --regex -- '^[0-9a-f]+$' "$__ai_session"
        builtin printf '%s\n' "ai: cannot run $argv[1]: $__ai_bin is another program now; hint: install ai again, then start a new shell" >&2
        return 127
    end
    set --append __ai_open $__ai_session
    set --local __ai_argv ($__ai_bin resolve --format argv0 --session $__ai_session --tty=$__ai_tty -- $argv | builtin string split0)
    set --local __ai_code $pipestatus[1]
    if builtin test $__ai_code -eq 0
        # A child that dies of Ctrl-C ends this function too, but not what is inside `eval`. In a pipe, `eval` would hold back
        # all output until the tool has ended.
        if builtin test -t 1
            builtin eval '$__ai_argv'
        else
            $__ai_argv
        end
        set __ai_code $status
    end
    $__ai_bin sync out --code $__ai_code -- $__ai_session
    set __ai_open (builtin string match --invert -- $__ai_session $__ai_open)
    return $__ai_code
end

# A word that the program itself understands, with this shell's default tool.
function __ai_word
    __ai_found $argv[1..2]; or return
    AI_TOOL="$AI_TOOL" $argv[1] word $argv[2] -- $argv[3..]
end

# The tool that the words are for; the default one where nothing says so.
function __ai_default
    __ai_found $argv[1..2]; or return
    set --local __ai_tool (AI_TOOL="$AI_TOOL" $argv[1] route -- $argv[3..]); or return
    __ai_run $argv[1] $__ai_tool $argv[3..]
end

# Only a function can set a variable of its shell. It is not exported.
function __ai_mode
    if builtin test (builtin count $argv) -ne 3; or builtin contains -- "$argv[3]" help -h --help
        __ai_word $argv
        return
    end
    __ai_found $argv[1..2]; or return
    set --local __ai_tool ($argv[1] use --name -- $argv[3]); or return
    set --global AI_TOOL $__ai_tool
end

# What a line behind ours, or one that ran at the prompt or in another directory, made of the tools' words: an alias is a function here,
# which runs the tool on the host even where it only adds words; an abbreviation is what will have been typed. Before a command, only
# the words in it matter.
function __ai_look --on-event fish_prompt --on-event fish_preexec --on-variable PWD
    builtin test "$argv[1]" = VARIABLE; and set --erase argv
    for __ai_name in $__ai_held
        builtin test (builtin count $argv) -eq 0; or builtin string match --quiet -- "*$__ai_name*" "$argv"; or continue
        set --local __ai_text (functions -- $__ai_name 2>/dev/null | builtin string collect)
        if builtin string match --quiet --regex -- '__ai_|\bai run ' $__ai_text
            builtin contains -- $__ai_name (abbr --list 2>/dev/null); or continue
            set __ai_text (abbr --show | builtin string match --regex -- "^abbr .* -- $__ai_name (.*)\$")
            builtin string match --quiet --regex -- "^['\"]?(ai|"(builtin string join '|' -- $__ai_held)")\b" "$__ai_text[2]"; and continue
            # Where they are kept in variables that all shells share, they are not ours to take away.
            set --query _fish_abbr_$__ai_name; or abbr --erase $__ai_name
        else
            builtin eval "function $__ai_name; __ai_run "(builtin string escape -- $__ai_bin)" "(builtin string replace -- "$__ai_prefix" '' $__ai_name)" \$argv; end"
        end
        builtin printf '%s\n' "ai: a line behind the one that loads ai made $__ai_name run without its container; it has one again; hint: ai doctor shell fish" >&2
    end
    builtin test -n "$__ai_tools"; and __ai_meet
end

# Manifests that came after this shell: words that would run the tools on the host, where there are any.
function __ai_meet
    for __ai_file in $__ai_tools/*.toml
        set --local __ai_name (builtin string match --regex -- '/([a-z][a-z0-9_-]*)\.toml$' $__ai_file)[2]; or continue
        builtin contains -- $__ai_name exec ai docker podman nerdctl container (builtin --names); and continue
        functions --query -- $__ai_prefix$__ai_name; and continue
        builtin contains -- $__ai_prefix$__ai_name (builtin --names); and continue
        builtin eval "function $__ai_prefix$__ai_name; __ai_run "(builtin string escape -- $__ai_bin)" $__ai_name \$argv; end"
        set --append __ai_held $__ai_prefix$__ai_name
        builtin printf '%s\n' "ai: $__ai_prefix$__ai_name is a tool now and runs in its container, in this shell too" >&2
    end
end
