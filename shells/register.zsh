# The first press of Tab brings the library, and with it the function that completes.
function __ai_tab { __ai_call __ai_complete "${__ai_bin}" ai 2>/dev/null; }
