#!/bin/sh
echo CLAUDE-SKILL-RUNS
