#!/bin/sh
# Installs what Esper needs and this machine lacks: Deno, a Vulkan driver, npm packages. Safe to run again at any time.
set -eu
cd "$(dirname "$0")"

DENO_VERSION=2.9.6

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, or returns 1 where that is not allowed without a password.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 1
  fi
}

# Deno 2.9 or later, below 3.
deno_fits() {
  have deno || return 1
  deno_found=$(DENO_NO_UPDATE_CHECK=1 deno --version 2>/dev/null | sed -n '1s/^deno \([0-9.]*\).*/\1/p')
  case $deno_found in
    2.[0-8].*) return 1 ;;
    2.*) return 0 ;;
    *) return 1 ;;
  esac
}

# shellcheck disable=SC2086 # $flags is a list
install_deno() {
  have npm || fail "Deno is missing, and npm, which would install it, too" \
    "install Node.js with npm (Debian: apt-get install npm) or Deno $DENO_VERSION, then run this again"
  package="deno@$DENO_VERSION"
  flags="--global --loglevel=error --no-audit --no-fund --no-update-notifier"
  npm_failed="npm could not install $package, see its messages above; check the network, then run this again"
  prefix=$(npm prefix --global 2>/dev/null)
  if [ -w "$prefix/lib" ] || { [ ! -e "$prefix/lib" ] && [ -w "$prefix" ]; }; then
    say "installing Deno $DENO_VERSION from npm"
    npm install $flags "$package" || fail "$npm_failed"
  elif as_root true; then
    say "installing Deno $DENO_VERSION from npm"
    as_root npm install $flags "$package" || fail "$npm_failed"
    prefix=$(as_root npm prefix --global 2>/dev/null)
  else
    prefix=$HOME/.local
    case :$PATH: in
      *":$prefix/bin:"*) npm install $flags --prefix "$prefix" "$package" || fail "$npm_failed" ;;
      *) fail "Deno is missing, and $(npm prefix --global 2>/dev/null) cannot be written to; run these and try again:" \
        "  npm install --global --prefix \"$prefix\" $package" \
        "  export PATH=\"$prefix/bin:\$PATH\"" ;;
    esac
  fi
  hash -r
  deno_fits && return
  have deno && [ -n "$deno_found" ] && [ "$(command -v deno)" != "$prefix/bin/deno" ] &&
    fail "want Deno $DENO_VERSION, but $(command -v deno) is $deno_found and comes first in PATH; run this and try again:" \
      "  export PATH=\"$prefix/bin:\$PATH\""
  [ -x "$prefix/bin/deno" ] &&
    fail "Deno is now in $prefix/bin, which is not in PATH; run this and try again:" \
      "  export PATH=\"$prefix/bin:\$PATH\""
  fail "npm installed $package, but no working deno came of it; see npm's messages above"
}

# A file that describes a Vulkan driver.
has_vulkan_driver() {
  for file in $(printf '%s' "${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}" | tr ':' ' ') \
    /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json /usr/local/share/vulkan/icd.d/*.json; do
    [ -f "$file" ] && return 0
  done
  return 1
}

# The library through which programs reach the driver.
has_vulkan_loader() {
  for file in /usr/lib/*/libvulkan.so.1 /usr/lib/libvulkan.so.1 /usr/lib64/libvulkan.so.1 /usr/local/lib/libvulkan.so.1; do
    [ -e "$file" ] && return 0
  done
  PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'
}

install_vulkan() {
  packages=
  has_vulkan_loader || packages=libvulkan1
  has_vulkan_driver || packages="libvulkan1 mesa-vulkan-drivers"
  if ! have apt-get; then
    fail "no Vulkan driver was found; install one with your system's packages, then run this again:" \
      "  Fedora: dnf install vulkan-loader mesa-vulkan-drivers" \
      "  Arch: pacman -S vulkan-icd-loader vulkan-swrast"
  fi
  as_root true || fail "no Vulkan driver was found, and this user may not install one; run this and try again:" \
    "  sudo apt-get update && sudo apt-get install -y $packages"
  say "installing a software Vulkan driver: $packages"
  log=$(mktemp)
  # shellcheck disable=SC2086 # a list of packages
  if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    fail "apt-get could not install $packages; its messages are in $log"
  fi
  rm -f "$log"
}

deno_fits || install_deno
if [ "$(uname -s)" = Linux ] && ! { has_vulkan_driver && has_vulkan_loader; }; then install_vulkan; fi

DENO_NO_UPDATE_CHECK=1 deno install --frozen --quiet ||
  fail "Deno could not fetch the npm packages that deno.lock lists; check the network, then run this again"
say "ready: Deno $(DENO_NO_UPDATE_CHECK=1 deno --version | sed -n '1s/^deno \([0-9.]*\).*/\1/p')"
