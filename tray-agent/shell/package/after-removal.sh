#!/bin/sh
if command -v update-desktop-database > /dev/null; then
    update-desktop-database -q /usr/share/applications || true
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
exit 0
