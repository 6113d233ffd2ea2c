# bash expands aliases while it reads, even of words such as `if`, line by line: from the next line on, there are none.
__ai_aliases='' && \builtin shopt -q expand_aliases && __ai_aliases=on && \builtin shopt -u expand_aliases
@@script@@
if [[ -n "${__ai_aliases}" ]]; then \builtin shopt -s expand_aliases; fi
\builtin unset __ai_aliases
# ai is whole
