// graph_drafts: messages that were made and not sent, and attachments on their way to them.
// Source: facts/providers.md 3.5. Memory: all of it; at most 64 drafts and 64 sessions, an
// attachment of 150 MiB. The oldest go. Threads: any. Times in wall seconds.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/graph_message.h"
#include "sandbox/json.h"

namespace sandbox {

struct GraphDraft {
  std::string id{};
  std::string mailbox{};
  GraphMessage message{};
  std::vector<GraphAttachment> attachments{};
};

struct UploadSession {
  std::string draft{};
  std::string mailbox{};
  std::string secret{};  // stands in the upload URL
  GraphAttachment attachment{};
  std::uint64_t size = 0;
  std::int64_t expires = 0;
};

class GraphDrafts {
 public:
  std::string add(const std::string& mailbox, GraphMessage message);
  // Without the bytes of its attachments.
  std::optional<GraphDraft> look(const std::string& mailbox, const std::string& id) const;
  std::optional<GraphDraft> copy(const std::string& mailbox, const std::string& id) const;
  bool attach(const std::string& mailbox, const std::string& id, GraphAttachment attachment);
  bool remove(const std::string& mailbox, const std::string& id);

  std::string start(UploadSession session);
  // None: unknown, expired, or the secret is another.
  std::optional<UploadSession> session(const std::string& id, const std::string& secret) const;
  std::uint64_t received(const std::string& id) const;
  // Adds bytes at `from`; false when that is not where the next ones belong. The last ones make it
  // an attachment, and `complete` true.
  bool put(const std::string& id, std::uint64_t from, const std::string& bytes, bool& complete);
  void cancel(const std::string& id);
  void expire_sessions();
  // What is left: {"drafts": [...], "sessions": N}.
  Json tell() const;
  void clear();

 private:
  const GraphDraft* find(const std::string& mailbox, const std::string& id) const;
  mutable std::mutex mutex_;
  std::vector<GraphDraft> drafts_;
  std::map<std::string, UploadSession> sessions_;
};

}  // namespace sandbox
