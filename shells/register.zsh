# The first press of Tab brings the library, and with it the function that takes this one's place.
function __ai_complete { __ai_call __ai_complete "${__ai_bin}" ai 2>/dev/null; }
