#include "transport/connections.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace transport {

namespace {

// Below what servers give an idle client (RFC 5321 4.5.3.2.7: 5 minutes, in practice often 60 s).
constexpr std::int64_t longest_idle_ms = 20'000;
constexpr std::int64_t longest_life_ms = 300'000;
constexpr int most_messages = 100;
constexpr std::ptrdiff_t most_of_account = 4;
constexpr std::size_t most_idle = 64;
constexpr std::size_t most_contexts = 64;

// Everything that made the connection what it is.
std::string identity(const account::Account& account) {
  std::string out = account::binding(account);
  for (const std::string& word :
       {account.name, account.smtp_host, std::to_string(account.smtp_port),
        std::to_string(static_cast<int>(account.smtp_tls)),
        std::to_string(static_cast<int>(account.auth)), account.auth_user, account.ca_file,
        account.tls_client_certificate, account.helo}) {
    out += "\n" + std::to_string(word.size()) + " " + word;
  }
  return out;
}

}  // namespace

Connections::~Connections() {
  for (Idle& one : idle_) one.dialogue->quit();
}

std::unique_ptr<Dialogue> Connections::take(const account::Account& account) {
  close_idle();
  const std::string wanted = identity(account);
  const std::lock_guard<std::mutex> hold(lock_);
  for (auto at = idle_.begin(); at != idle_.end();) {
    if (at->account != wanted) {
      ++at;
      continue;
    }
    std::unique_ptr<Dialogue> dialogue = std::move(at->dialogue);
    at = idle_.erase(at);
    if (dialogue->silent()) return dialogue;
  }
  return nullptr;
}

void Connections::keep(const account::Account& account, std::unique_ptr<Dialogue> dialogue) {
  if (!dialogue || !dialogue->open_still()) return;
  const std::string name = identity(account);
  const bool worn = dialogue->messages() >= most_messages || dialogue->age_ms() > longest_life_ms;
  std::unique_lock<std::mutex> hold(lock_);
  const auto of_account = std::count_if(idle_.begin(), idle_.end(),
                                        [&](const Idle& one) { return one.account == name; });
  if (worn || of_account >= most_of_account || idle_.size() >= most_idle) {
    hold.unlock();
    dialogue->quit();
    return;
  }
  idle_.push_back({name, std::move(dialogue), base::boot_ms()});
}

void Connections::close_idle() {
  const std::int64_t now = base::boot_ms();
  std::vector<std::unique_ptr<Dialogue>> over;
  {
    const std::lock_guard<std::mutex> hold(lock_);
    while (!idle_.empty() && now - idle_.front().since_ms > longest_idle_ms) {
      over.push_back(std::move(idle_.front().dialogue));
      idle_.pop_front();
    }
  }
  for (const std::unique_ptr<Dialogue>& one : over) one->quit();
}

base::Result<std::shared_ptr<net::TlsContext>> Connections::trust(const net::TlsTrust& trust) {
  const std::string words = net::trust_words(trust);
  const std::lock_guard<std::mutex> hold(lock_);
  if (trusted_.size() >= most_contexts) trusted_.clear();
  Trusted& known = trusted_[trust.ca_file + "\n" + trust.client_certificate];
  if (known.context && known.words == words) return known.context;
  base::Result<std::shared_ptr<net::TlsContext>> made = net::make_tls_context(trust);
  if (!made) return made;
  known.context = *made;
  known.words = words;
  return made;
}

}  // namespace transport
