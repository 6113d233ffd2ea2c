#!/bin/sh
echo CLAUDE-KEY-OF-HELPER
