#!/bin/sh
# Makes the Debian packages in FOLDER from the files that git knows, as they are now (without git: from all but build/).
#   sh tests/package/build.sh FOLDER [SOURCE.dsc]     with SOURCE.dsc: of that source package instead
# The time of the newest entry of debian/changelog is the time of every file in them.
set -eu
folder=$1
cd "$(dirname "$0")/../.."
version=$(dpkg-parsechangelog -S Version)
tree=$folder/mailbearer-$version
files() {
  if git rev-parse --git-dir >/dev/null 2>&1; then git ls-files -z
  else find . -path ./build -prune -o \( -type f -o -type l \) -print0; fi
}
if [ $# -gt 1 ]; then
  mkdir -p "$folder"
  dpkg-source --no-check -x "$2" "$tree"
else
  mkdir -p "$tree"
  files | tar --null --files-from=- --ignore-failed-read -cf - | tar -xf - -C "$tree"
fi
# When and under which umask the files were checked out is nobody's business.
find "$tree" -exec touch --no-dereference --date="@$(dpkg-parsechangelog -S Timestamp)" {} +
chmod -R u=rwX,go=rX "$tree"
cd "$tree"
# What a make around us says is not for the make inside.
unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS
DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-nocheck} dpkg-buildpackage --no-sign
echo "packages: $folder"
