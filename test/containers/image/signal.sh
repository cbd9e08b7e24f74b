#!/bin/sh
# Signals a program that program.sh has started, with its children, and waits until it is done: ended, or standing
# still. Usage: signal.sh NAME KILL|TERM|STOP|CONT
set -eu

pid=$(cat "/run/lab/$1.pid" 2>/dev/null) || exit 0

# The states of all its threads, a letter each; nothing once it has ended.
states() {
  cat "/proc/$pid/task/"*/stat 2>/dev/null | sed 's/.*) \(.\).*/\1/' | tr -d '\nZ'
}

[ -n "$(states)" ] || exit 0
case $2 in
  KILL)
    # As if at once: a parent would start its child again, a child would tidy up after its parent.
    kill -STOP "$pid"
    children=$(pgrep -P "$pid") || :
    # shellcheck disable=SC2086 # several words
    [ -z "$children" ] || kill -STOP $children
    # shellcheck disable=SC2086
    kill -KILL $children "$pid"
    while [ -n "$(states)" ]; do sleep 0.005; done
    ;;
  TERM)
    kill -TERM "$pid"
    while [ -n "$(states)" ]; do sleep 0.01; done
    ;;
  STOP)
    kill -STOP "$pid"
    until [ -z "$(states | tr -d T)" ]; do sleep 0.005; done
    ;;
  CONT) kill -CONT "$pid" ;;
esac
