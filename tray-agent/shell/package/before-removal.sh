#!/bin/sh
# Nothing of Offpeak runs when it is gone: service and apps hand back what they hold, and end. dpkg says "remove", rpm "0"; a new
# version that takes the place of this one is no removal.
case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
    systemctl stop offpeak-agent.service || true
fi
# By the program's file, since a name alone could be anybody's. After an upgrade the old file is gone, and its name says so.
apps() {
    for exe in /proc/[0-9]*/exe; do
        case "$(readlink "$exe")" in
        /usr/bin/offpeak-tray | "/usr/bin/offpeak-tray (deleted)" | /usr/bin/offpeak-agent | "/usr/bin/offpeak-agent (deleted)") id=${exe#/proc/} && echo "${id%/exe}" ;;
        esac
    done
}
for id in $(apps); do
    kill -TERM "$id" 2> /dev/null || true
done
# An app gives its engine ten seconds.
tries=0
while [ -n "$(apps)" ] && [ "$tries" -lt 15 ]; do
    sleep 1
    tries=$((tries + 1))
done
for id in $(apps); do
    kill -KILL "$id" 2> /dev/null || true
done
exit 0
