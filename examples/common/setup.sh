# Sourced by examples/quickstart and tests/run: installs what is missing and builds into build/. Needs Debian 12, Ubuntu 24.04 or newer.

packages=(g++ meson ninja-build pkg-config libopenblas-pthread-dev libhwy-dev libfmt-dev doctest-dev libsentencepiece-dev
  zlib1g-dev nlohmann-json3-dev libcli11-dev libstb-dev)

# Installs those of the given packages that are not there; as root, or with sudo.
install_packages() {
  local missing=() package sudo=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "missing packages, and neither root nor sudo: apt-get install ${missing[*]}" >&2; exit 2; }
    sudo=(sudo)
  fi
  echo "installing: ${missing[*]}" >&2
  "${sudo[@]}" apt-get update -q >&2
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

# set_up [meson target...]: installs, configures and builds.
set_up() {
  command -v apt-get >/dev/null || { echo "this script installs Debian packages, and there is no apt-get here; see README.md" >&2; exit 2; }
  install_packages "${packages[@]}"
  [ -f build/build.ninja ] || meson setup build >&2
  ninja -C build "$@" >&2
}
