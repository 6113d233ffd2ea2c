//! Names that no tool may have, since its function would take the place of something that shells and we need.

/// Reserved words and builtins of zsh, bash and fish, from the lists that the shells print themselves (`compgen -k -b`,
/// `${(k)reswords} ${(k)builtins}`, `builtin --names` and fish's keywords), engines, and words of our own, but for `exec`,
/// which is our name for any command.
const RESERVED: &str = "abbr ai ai-list ai-mode ai-orchestrator ai-run ai-session-manager ai-start ai-stop aic alias and argparse autoload begin \
    bg bind bindkey block break breakpoint builtin bye caller case cd chdir cic command commandline compadd comparguments \
    compcall compctl compdescribe compfiles compgen compgroups complete compopt compquote compset comptags comptry \
    compvalues container contains continue coproc count declare dirs disable disown do docker done echo echotc echoti elif \
    else emit emulate enable end esac eval exit export false fc fg fi float for foreach function functions getln getopts \
    gexec hash help history if in integer jobs kill let limit local log logout mapfile math nerdctl nocorrect noglob not or \
    path podman popd print printf private pushd pushln pwd r random read readarray readonly realpath rehash repeat return \
    sched select set set_color setopt shift shopt source status string sudo suspend switch test then time times trap true \
    ttyctl type typeset ulimit umask unalias unfunction unhash unlimit unset unsetopt until vared wait whence where which \
    while zcompile zformat zle zmodload zparseopts zregexparse zstyle";

pub fn is_reserved(name: &str) -> bool {
    RESERVED.split(' ').any(|word| word == name)
}

/// Programs that prompts, hooks and scripts at a prompt call by their name all day.
const EVERYDAY: &str = "awk basename bash cat chmod cp curl cut date diff dirname env find fish git grep head id less ls make mkdir mktemp mv \
    node npm perl ps python python3 rm rmdir sed sh sleep sort ssh stat stty tail tar tee touch tput tr tty uname vi vim wc xargs zsh";

/// Says whether a function of this name would take the place of a program that everybody uses.
pub fn is_everyday(name: &str) -> bool {
    EVERYDAY.split_ascii_whitespace().any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_shells_engines_and_our_own_are_taken() {
        for (name, expected) in
            [("local", true), ("cd", true), ("if", true), ("ai", true), ("gexec", true), ("docker", true), ("claude", false)]
        {
            assert_eq!(is_reserved(name), expected, "{name}");
        }
    }
}
