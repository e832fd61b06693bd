// known_servers: what is remembered of servers from one connection to the next: TLS sessions, who
// takes no initial response at AUTH, who offers CHUNKING and refuses BDAT. Source: design section 5
// (runtime directory), RFC 8446 C.4, RFC 4954 section 4; docs/decisions/0012. In a folder that is
// ours alone (one-shot), else in the memory of this process (agent). Files are 0600, named by a
// digest of the words they are bound to. A folder or file that cannot be used is nothing
// remembered: nothing here fails. Limits: 64 servers in memory, 4 sessions each; 32 KiB a file; a
// day for a refusal. Trusts: files of our own only.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/tls_session.h"

namespace transport {

class KnownServers : public net::TlsSessions {
 public:
  enum class Where : std::uint8_t { memory, folder };
  // `folder`: used as it is when ready (base::runtime_folder_ready), else nothing is remembered.
  explicit KnownServers(Where where = Where::memory, const std::string& folder = {});

  std::optional<net::TlsSession> take(const std::string& words) override;
  void keep(const std::string& words, net::TlsSession session) override;

  // What a server that offers it does not bear.
  enum class Refusal : std::uint8_t { initial_response, chunks };
  // `server`: "smtp.example:587".
  bool refuses(const std::string& server, Refusal what) const;
  void note(const std::string& server, Refusal what);

  // All sessions, as `logout` wants it.
  void forget_sessions();

 private:
  struct Shelf {
    std::vector<net::TlsSession> sessions{};
    std::map<Refusal, std::int64_t> refused_s{};  // when
  };
  std::string file_of(const char* kind, const std::string& words) const;
  void sweep(std::int64_t older_than_s) const;  // negative: all
  Shelf& shelf(const std::string& words);

  Where where_;
  std::string folder_;         // empty: none
  mutable std::mutex lock_{};  // of the memory
  std::map<std::string, Shelf> shelves_;
};

}  // namespace transport
