// log: where lines about attempts go: the journal, else syslog; or, where `log` says so, standard
// error or a file. Source: systemd's native journal protocol (JOURNAL_NATIVE_PROTOCOL), RFC 3164
// for /dev/log; docs/decisions/0018. Nothing here waits and nothing fails: a line that cannot be
// left at once is lost, and the delivery never hears of it. No library: two datagrams.
#pragma once

#include <string>

#include "report/log_line.h"

namespace report {

struct LogPlaces {
  std::string journal = "/run/systemd/journal/socket";
  std::string syslog = "/dev/log";
};

class Log {
 public:
  // `place`: journal, syslog, stderr, none or an absolute path; empty: the journal, else syslog,
  // where there is one.
  Log(std::string place, Addresses addresses, LogPlaces places = {})
      : place_(std::move(place)), addresses_(addresses), places_(std::move(places)) {}

  void attempt(const Attempt& attempt) const;
  void note(const LogLine& line) const;

 private:
  bool to_journal(const LogLine& line) const;
  bool to_syslog(const LogLine& line) const;
  static void to_stderr(const LogLine& line);
  void to_file(const LogLine& line) const;

  std::string place_;
  Addresses addresses_;
  LogPlaces places_;
};

}  // namespace report
