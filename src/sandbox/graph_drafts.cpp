#include "sandbox/graph_drafts.h"

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "sandbox/tenant.h"

namespace sandbox {

namespace {
constexpr std::size_t count_limit = 64;
}

const GraphDraft* GraphDrafts::find(const std::string& mailbox, const std::string& id) const {
  const auto found = std::find_if(drafts_.begin(), drafts_.end(), [&](const GraphDraft& one) {
    return one.id == id && base::same_ignoring_case(one.mailbox, mailbox);
  });
  return found == drafts_.end() ? nullptr : &*found;
}

std::string GraphDrafts::add(const std::string& mailbox, GraphMessage message) {
  const std::lock_guard lock(mutex_);
  if (drafts_.size() >= count_limit) drafts_.erase(drafts_.begin());
  GraphDraft draft;
  // Real ids are about that long, and end so.
  draft.id = "AAMk" + random_text(116) + "=";
  draft.mailbox = mailbox;
  draft.message = std::move(message);
  drafts_.push_back(std::move(draft));
  return drafts_.back().id;
}

std::optional<GraphDraft> GraphDrafts::look(const std::string& mailbox,
                                            const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const GraphDraft* found = find(mailbox, id);
  if (found == nullptr) return std::nullopt;
  GraphDraft facts;
  facts.id = found->id;
  facts.mailbox = found->mailbox;
  facts.message = found->message;
  for (const GraphAttachment& one : found->attachments) {
    facts.attachments.push_back({one.name, one.type, one.content_id, one.is_inline, {}});
  }
  return facts;
}

std::optional<GraphDraft> GraphDrafts::copy(const std::string& mailbox,
                                            const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const GraphDraft* found = find(mailbox, id);
  return found == nullptr ? std::nullopt : std::optional<GraphDraft>(*found);
}

bool GraphDrafts::attach(const std::string& mailbox, const std::string& id,
                         GraphAttachment attachment) {
  const std::lock_guard lock(mutex_);
  for (GraphDraft& one : drafts_) {
    if (one.id != id || !base::same_ignoring_case(one.mailbox, mailbox)) continue;
    one.attachments.push_back(std::move(attachment));
    return true;
  }
  return false;
}

bool GraphDrafts::remove(const std::string& mailbox, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const GraphDraft* found = find(mailbox, id);
  if (found == nullptr) return false;
  for (auto one = sessions_.begin(); one != sessions_.end();) {
    one = one->second.draft == id ? sessions_.erase(one) : std::next(one);
  }
  drafts_.erase(drafts_.begin() + (found - drafts_.data()));
  return true;
}

std::string GraphDrafts::start(UploadSession session) {
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= count_limit) sessions_.erase(sessions_.begin());
  std::string id = random_text(64);
  sessions_[id] = std::move(session);
  return id;
}

std::optional<UploadSession> GraphDrafts::session(const std::string& id,
                                                  const std::string& secret) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.secret != secret ||
      found->second.expires <= base::wall_seconds()) {
    return std::nullopt;
  }
  UploadSession facts = found->second;
  facts.attachment.bytes.clear();
  return facts;
}

std::uint64_t GraphDrafts::received(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? 0 : found->second.attachment.bytes.size();
}

bool GraphDrafts::put(const std::string& id, std::uint64_t from, const std::string& bytes,
                      bool& complete) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return false;
  UploadSession& session = found->second;
  std::string& held = session.attachment.bytes;
  if (held.size() != from || from + bytes.size() > session.size) return false;
  held += bytes;
  complete = held.size() == session.size;
  if (!complete) return true;
  for (GraphDraft& draft : drafts_) {
    if (draft.id == session.draft) draft.attachments.push_back(std::move(session.attachment));
  }
  sessions_.erase(found);
  return true;
}

void GraphDrafts::cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(id);
}

void GraphDrafts::expire_sessions() {
  const std::lock_guard lock(mutex_);
  for (auto& [id, session] : sessions_) session.expires = 0;
}

Json GraphDrafts::tell() const {
  const std::lock_guard lock(mutex_);
  Json drafts = Json::array();
  for (const GraphDraft& one : drafts_) {
    drafts.push_back({{"mailbox", one.mailbox},
                      {"subject", one.message.subject},
                      {"recipients", one.message.recipients},
                      {"attachments", one.attachments.size()}});
  }
  return {{"drafts", drafts}, {"sessions", sessions_.size()}};
}

void GraphDrafts::clear() {
  const std::lock_guard lock(mutex_);
  drafts_.clear();
  sessions_.clear();
}

}  // namespace sandbox
