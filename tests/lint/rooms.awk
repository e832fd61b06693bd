# Reads src/ROOMS, then source files: every include of our own must be allowed to its room, every foreign
# library and forbidden word must stand behind its door. Prints file:line: reason; exits 1 when anything is wrong.
# Usage: awk -v root=src -f rooms.awk src/ROOMS FILE...
function fail(reason) { printf "%s:%d: %s\n", FILENAME, FNR, reason; bad = 1 }
FNR == NR && $1 == "room" {
  n = split($0, part, ":"); split(part[1], head, " "); allowed[head[2]] = " " part[2] " "; next
}
FNR == NR && $1 == "door" {
  doors++; text[doors] = $2; files[doors] = " "
  for (i = 3; i <= NF; i++) files[doors] = files[doors] $i " "
  next
}
FNR == NR { next }
FNR == 1 {
  path = FILENAME; sub("^" root "/", "", path)
  room = path ~ /\// ? path : "mains"; sub(/\/.*/, "", room)
  if (!(room in allowed)) fail("room '" room "' is not in src/ROOMS")
}
{
  line = $0
  sub(/\/\/.*/, "", line)
  if (line ~ /^[ \t]*#[ \t]*include[ \t]*"/) {
    target = line; sub(/^[^"]*"/, "", target); sub(/".*/, "", target)
    other = target; sub(/\/.*/, "", other)
    if (target !~ /\//) fail("include \"" target "\" must name its room")
    else if (other != room && index(allowed[room], " " other " ") == 0)
      fail("room '" room "' may not include '" other "' (src/ROOMS)")
  }
  for (d = 1; d <= doors; d++) {
    at = index(line, text[d])
    if (at == 0) continue
    # A word is meant as a word: no letter before it.
    if (text[d] ~ /^[a-z]/ && at > 1 && substr(line, at - 1, 1) ~ /[A-Za-z0-9_]/) continue
    if (text[d] == "throw" && substr(line, at + 5, 1) ~ /[A-Za-z0-9_]/) continue
    if (index(files[d], " " path " ") == 0) fail("'" text[d] "' belongs behind its door:" (files[d] == " - " ? " nowhere" : files[d]) "(src/ROOMS)")
  }
}
END { exit bad }
