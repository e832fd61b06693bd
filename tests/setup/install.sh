#!/bin/sh
# install.sh GROUP...: installs what is missing of the Debian packages in packages.GROUP beside this file.
# Silent and without network when nothing is missing. Starts no service. Root, or sudo.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
policy=/usr/sbin/policy-rc.d

say() { printf 'install.sh: %s\n' "$*" >&2; }

if [ $# -eq 0 ]; then
  say "usage: install.sh GROUP...; groups: $(cd "$here" && ls packages.* | sed 's/^packages\.//' | tr '\n' ' ')"
  exit 64
fi

wanted=
for group in "$@"; do
  if [ ! -r "$here/packages.$group" ]; then
    say "no such group: $group (no file $here/packages.$group)"
    exit 64
  fi
  wanted="$wanted $(sed 's/#.*//' "$here/packages.$group")"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
  say "this is no Debian system; install by hand what corresponds to:" $wanted
  exit 69
fi

# A name that ends in :any, or is only provided by another package, counts as installed too.
is_installed() {
  dpkg-query -W -f '${db:Status-Abbrev}${Package} ${Provides}\n' 2>/dev/null | awk -v name="$1" '
    $1 == "ii" { gsub(/,/, " "); for (i = 2; i <= NF; i++) if ($i == name) found = 1 }
    END { exit !found }'
}

missing=
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | awk '$1 == "ii" { print $2 }')
for package in $wanted; do
  case "
$installed
" in
    *"
$package
"*) ;;
    *) is_installed "$package" || missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1; then
  as_root=sudo
else
  say "missing:$missing"
  say "cannot install them: neither root nor sudo; run as root: apt-get install$missing"
  exit 77
fi

# Packages like postfix start their service when they are installed; policy-rc.d forbids it. One that was
# there before (containers have one) comes back as it was.
saved=
placed=
restore() {
  status=$?
  trap - EXIT INT TERM HUP
  if [ -n "$saved" ] && [ -e "$saved" -o -L "$saved" ]; then
    $as_root mv -f "$saved" "$policy"
  elif [ -n "$placed" ] && [ -z "$saved" ]; then
    $as_root rm -f "$policy"
  fi
  exit "$status"
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -e "$policy" ] || [ -L "$policy" ]; then
  saved=$policy.mailbearer-saved.$$
  $as_root mv "$policy" "$saved"
fi
placed=yes
printf '#!/bin/sh\n# Temporary: no service starts while packages for the tests of Mailbearer are installed.\nexit 101\n' |
  $as_root tee "$policy" >/dev/null
$as_root chmod 755 "$policy"

apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C apt-get -y -q \
    -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

say "installing:$missing"
apt update
apt install --no-install-recommends $missing
