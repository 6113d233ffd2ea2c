#!/bin/sh
echo CLAUDE-STATUS-LINE
