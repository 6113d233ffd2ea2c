\builtin [ 'a  b' = 'a b' ] && \builtin printf '%s\n' 'ai: cannot load the shell integration: it came in pieces; hint: put quotes around what eval gets, as in: ai help shells' >&2
# Shell integration of ai for bash; made by: ai init bash
# bash expands aliases while it reads, even of words such as `if`, line by line: from the next line on, there are none.
__ai_aliases='' && \builtin shopt -q expand_aliases && __ai_aliases=on && \builtin shopt -u expand_aliases
@@script@@
if [[ -n "${__ai_aliases}" ]]; then \builtin shopt -s expand_aliases; fi
\builtin unset __ai_aliases
# The last line tells that nothing was cut off: ai is whole
