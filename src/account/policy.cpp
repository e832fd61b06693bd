#include "account/policy.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/text.h"

namespace account {

namespace {

constexpr std::size_t first_buffer_bytes = 4096;
constexpr std::size_t last_buffer_bytes = 1024UL * 1024;  // a group of many thousand members
constexpr int group_limit = 65536;                        // NGROUPS_MAX of Linux

// Calls a getXXnam_r-like function with a buffer that grows until it fits.
template <typename Record, typename Call>
bool look_up(Record& record, std::vector<char>& buffer, Call call) {
  for (buffer.resize(first_buffer_bytes); buffer.size() <= last_buffer_bytes;
       buffer.resize(buffer.size() * 2)) {
    Record* found = nullptr;
    const int sys = call(&record, buffer.data(), buffer.size(), &found);
    if (sys == EINTR) continue;
    if (sys != ERANGE) return sys == 0 && found != nullptr;
  }
  return false;
}

struct User {
  std::string name;
  gid_t group;
};

std::optional<User> user_of(uid_t uid) {
  passwd record{};
  std::vector<char> buffer;
  const bool found =
      look_up(record, buffer, [&](auto... rest) { return getpwuid_r(uid, rest...); });
  if (!found) return std::nullopt;
  return User{record.pw_name, record.pw_gid};
}

std::optional<uid_t> uid_of(const std::string& name) {
  passwd record{};
  std::vector<char> buffer;
  const bool found =
      look_up(record, buffer, [&](auto... rest) { return getpwnam_r(name.c_str(), rest...); });
  if (!found) return std::nullopt;
  return record.pw_uid;
}

std::optional<gid_t> gid_of(const std::string& name) {
  group record{};
  std::vector<char> buffer;
  const bool found =
      look_up(record, buffer, [&](auto... rest) { return getgrnam_r(name.c_str(), rest...); });
  if (!found) return std::nullopt;
  return record.gr_gid;
}

std::vector<gid_t> groups_in_database(uid_t uid) {
  const std::optional<User> user = user_of(uid);
  if (!user) return {};
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (getgrouplist(user->name.c_str(), user->group, groups.data(), &count) < 0) {
    if (count > group_limit || count <= static_cast<int>(groups.size())) return {};
    groups.resize(static_cast<std::size_t>(count));
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

// The database is asked at most once for a list, and only when the kernel's groups do not decide.
class Groups {
 public:
  explicit Groups(const mail::Peer& peer) : peer_(peer) {}

  bool hold(const std::string& name) {
    const std::optional<gid_t> gid = gid_of(name);
    if (!gid) return false;
    const auto in = [&](const std::vector<gid_t>& groups) {
      return std::find(groups.begin(), groups.end(), *gid) != groups.end();
    };
    if (in(peer_.groups)) return true;
    if (!database_) database_ = groups_in_database(peer_.uid);
    return in(*database_);
  }

 private:
  const mail::Peer& peer_;
  std::optional<std::vector<gid_t>> database_{};
};

bool names_user(const std::string& word, uid_t uid) {
  if (word[0] != '#') return uid_of(word) == uid;
  std::int64_t number = 0;
  return base::parse_number(std::string_view(word).substr(1), 0, UINT32_MAX, number) &&
         static_cast<uid_t>(number) == uid;
}

}  // namespace

bool is_listed(const std::vector<std::string>& list, const mail::Peer& peer) {
  // A peer over TCP is nobody on this machine, whatever its uid field holds.
  if (peer.over_network) return std::find(list.begin(), list.end(), "@listen") != list.end();
  if (peer.uid == static_cast<uid_t>(-1)) return false;
  Groups groups(peer);
  for (const std::string& word : list) {
    if (word.empty() || word == "@listen") continue;
    if (word[0] == '@' ? groups.hold(word.substr(1)) : names_user(word, peer.uid)) return true;
  }
  return false;
}

bool admits(const Account& account, const mail::Peer& peer) {
  if (!peer.over_network && peer.uid == 0) return true;
  return account.allow_users.empty() || is_listed(account.allow_users, peer);
}

std::string peer_word(const mail::Peer& peer) {
  if (peer.over_network) return "@listen";
  const std::optional<User> user = user_of(peer.uid);
  return user ? base::clean(user->name, 64) : "#" + std::to_string(peer.uid);
}

}  // namespace account
