# Makes mailbearer-providers(5) of etc/providers.conf:  awk -f man/providers.awk etc/providers.conf
# `make manual` writes it; `make lint` tells when it is behind.
function text(line) {
  gsub(/\\/, "\\e", line)
  gsub(/-/, "\\-", line)
  gsub(/\047/, "\\(aq", line)
  sub(/^\./, "\\\\\\&.", line)
  return line
}
function close_block() {
  if (open) print ".EE"
  open = 0
}
BEGIN {
  print ".\\\" Made by man/providers.awk of etc/providers.conf: change that."
  print ".TH MAILBEARER\\-PROVIDERS 5 \"November 21, 2026\" Mailbearer \"File formats\""
  print ".SH NAME"
  print "mailbearer\\-providers \\- mail providers that Mailbearer knows"
  print ".SH SYNOPSIS"
  print ".I /usr/share/mailbearer/providers.conf"
  print ".br"
  print ".I /etc/mailbearer/providers.conf"
  print ".SH DESCRIPTION"
  print "What"
  print ".B provider"
  print "presets in an account of"
  print ".BR mailbearer.conf (5)."
  print "Each value can be set per account, where it is stronger; what each key means stands there, too."
  print "The file is data: a further provider is a further section, in"
  print ".I /etc/mailbearer/providers.conf"
  print "of the host, which is read behind ours."
  print ".PP"
  print "A section holds for its provider, or, with words behind the name, for those of its accounts that use what the"
  print "words say: a cloud (worldwide, usgov, usdod, china), a transport (smtp, graph), a grant (user, app,"
  print "managed\\-identity, federated, service\\-account); several of a kind are joined by a bar."
  print "A section with more words is stronger, of equals the later one."
  print ".B based_on"
  print "takes over another provider\\(aqs presets as weaker ones, and"
  print ".B other_names"
  print "are further names for"
  print ".BR \"provider =\" ."
  print "{tenant}, {user} and {dashed_domain} (contoso\\-com for user = x@contoso.com) are filled in."
  print ".PP"
  print "No client_id is preset: each organisation registers an application of its own."
  print "The comments of the file name the source of each value, and say which are not verified."
  print ".SH PROVIDERS"
}
/^# --- / {
  close_block()
  title = $0
  sub(/^# --- /, "", title)
  sub(/ -+$/, "", title)
  next
}
/^#/ || /^[ \t]*$/ { next }
/^\[/ {
  close_block()
  name = substr($0, 2, index($0, "]") - 2)
  if (title != "") {
    print ".SS \"" text(title) "\""
    title = ""
  } else {
    print ".PP"
  }
  print ".EX"
  print "[" text(name) "]"
  open = 1
  next
}
/^client_id =[ \t]*$/ { next }
{ print text($0) }
END {
  close_block()
  print ".SH \"SEE ALSO\""
  print ".BR mailbearer (1),"
  print ".BR mailbearer.conf (5)"
}
