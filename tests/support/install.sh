#!/bin/sh
# Installs the Debian packages that tests need besides setup.sh's: Chromium with SwiftShader, Redis, PostgreSQL,
# OpenSSL. Starts none of them. Safe to run again at any time.
set -eu

packages=
[ -f /usr/lib/chromium/vk_swiftshader_icd.json ] || packages="$packages chromium"
[ -x /usr/bin/redis-server ] || packages="$packages redis-server"
[ -x /usr/bin/psql ] && ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || packages="$packages postgresql"
[ -x /usr/bin/openssl ] || packages="$packages openssl"
[ -n "$packages" ] || exit 0

sudo=
[ "$(id -u)" -eq 0 ] || sudo="sudo -n"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# invoke-rc.d starts nothing in runlevel 1.
# shellcheck disable=SC2086 # a list of packages
if ! { $sudo apt-get update -qq && $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends $packages; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  exit 1
fi
