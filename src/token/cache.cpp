#include "token/cache.h"

#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "token/keyring_file.h"
#include "token/sealed_file.h"

namespace token {

namespace {

// A clock may be a little ahead of the one that wrote; more is a clock that was set.
constexpr std::int64_t clock_slack_s = 300;
constexpr std::int64_t longest_refusal_s = 3600;

bool writable_folder(const std::string& folder) {
  if (folder.empty() || folder.front() != '/') return false;
  return make_private_folder(folder).ok() && access(folder.c_str(), W_OK) == 0;
}

// "name=value" lines; no value has a line end in it.
base::Secret text_of(const net::Record& record) {
  base::Secret text;
  for (const auto& [name, value] : record.fields()) {
    text.append(name);
    text.append("=");
    text.append(value.reveal());
    text.append("\n");
  }
  return text;
}

net::Record record_of(std::string_view text) {
  net::Record record;
  for (const std::string_view line : base::split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    record.put(std::string(line.substr(0, equals)), line.substr(equals + 1));
  }
  return record;
}

}  // namespace

bool CachedToken::valid(std::int64_t now) const {
  return !token.empty() && issued_s <= now + clock_slack_s && now < expires_s;
}

bool CachedToken::usable(std::int64_t now, std::int64_t margin_s) const {
  const std::int64_t margin = std::min(margin_s, (expires_s - issued_s) / 4);
  return valid(now) && now < expires_s - margin;
}

Cache::Cache(const account::Account& account, const std::string& runtime_dir,
             const KeyringPlaces& places)
    : keyring_key_(key_places(account.keyring_dir, places)) {
  const bool runtime = base::runtime_folder_ready(runtime_dir);
  const bool keyring = writable_folder(account.keyring_dir);
  if (runtime) {
    folder_ = runtime_dir;
    own_key_.key_file = runtime_dir + "/cache.key";
  } else if (keyring) {
    folder_ = account.keyring_dir;
  }
  const std::string bound = account::binding(account);
  const std::string request = std::to_string(static_cast<int>(account.grant)) + "\n" +
                              account.scope + "\n" + account.resource;
  token_words_ = bound + "\naccess-token\n" + request;
  refusal_words_ = bound + "\nrefusal\n" + request;
  identity_ = account.keyring_dir + "\n" + bound + "\n" + request;
  // Beside the refresh token where possible: processes with and without a runtime folder share
  // that.
  const std::string lock_folder = keyring ? account.keyring_dir : folder_;
  if (!lock_folder.empty()) {
    lock_path_ =
        lock_folder + "/" + name_for("refresh", account.keyring_dir + account.name) + ".lock";
  }
}

std::optional<base::Secret> Cache::key(bool make) {
  base::Result<std::optional<base::Secret>> stored = load_key(keyring_key_);
  if (stored && stored->has_value()) return std::move(**stored);
  if (!stored) return std::nullopt;  // there is one, but it is not to be trusted
  base::Result<std::optional<base::Secret>> own = load_key(own_key_);
  if (own && own->has_value()) return std::move(**own);
  if (!make) return std::nullopt;
  base::Result<base::Secret> made = load_or_make_key(keyring_key_);
  if (!made) made = load_or_make_key(own_key_);
  if (!made) return std::nullopt;
  return std::move(*made);
}

std::optional<net::Record> Cache::read(const std::string& name, const std::string& words) {
  if (!anywhere()) return std::nullopt;
  std::optional<base::Secret> sealing_key = key(false);
  if (!sealing_key) return std::nullopt;
  base::Result<Unsealed> unsealed =
      read_sealed(folder_ + "/" + name_for(name, identity_), *sealing_key, words);
  if (!unsealed || unsealed->state != Unsealed::State::opened) return std::nullopt;
  return record_of(unsealed->secret.reveal());
}

void Cache::write(const std::string& name, const std::string& words, const net::Record& record) {
  if (!anywhere()) return;
  std::optional<base::Secret> sealing_key = key(true);
  if (!sealing_key) return;
  const base::Done written =
      write_sealed(folder_ + "/" + name_for(name, identity_), *sealing_key, words, text_of(record));
  static_cast<void>(written);  // the next process asks for a token of its own
}

std::optional<CachedToken> Cache::load(const std::string& stamp) {
  std::optional<net::Record> record = read("access-token", token_words_);
  if (!record || record->get("stamp") != stamp) return std::nullopt;
  CachedToken cached;
  cached.issued_s = record->number("issued", 0);
  cached.expires_s = record->number("expires", 0);
  cached.token = record->take("token");
  if (cached.token.empty() || cached.issued_s <= 0 || cached.expires_s <= cached.issued_s) {
    return std::nullopt;
  }
  return cached;
}

void Cache::store(const CachedToken& token, const std::string& stamp) {
  net::Record record;
  record.put("issued", std::to_string(token.issued_s));
  record.put("expires", std::to_string(token.expires_s));
  record.put("stamp", stamp);
  record.put("token", token.token.reveal());
  write("access-token", token_words_, record);
}

std::optional<base::Error> Cache::refusal(const std::string& fingerprint) {
  const std::optional<net::Record> record = read("refusal", refusal_words_);
  if (!record || record->get("fingerprint") != fingerprint) return std::nullopt;
  const std::int64_t now = base::wall_seconds();
  const std::int64_t since = record->number("since", 0);
  const std::int64_t until = record->number("until", 0);
  if (since > now + clock_slack_s || until <= now || until - since > longest_refusal_s) {
    return std::nullopt;
  }
  base::Error error = net::get_error(*record);
  if (error.kind == base::FaultClass::temporary) error.retry_after_s = until - now;
  return error;
}

void Cache::forget() {
  if (!anywhere()) return;
  for (const char* name : {"access-token", "refusal"}) {
    static_cast<void>(unlink((folder_ + "/" + name_for(name, identity_)).c_str()));
  }
}

void Cache::remember(const base::Error& error, const std::string& fingerprint,
                     std::int64_t seconds) {
  net::Record record;
  net::put_error(record, error);
  const std::int64_t now = base::wall_seconds();
  record.put("fingerprint", fingerprint);
  record.put("since", std::to_string(now));
  record.put("until",
             std::to_string(now + std::clamp<std::int64_t>(seconds, 1, longest_refusal_s)));
  write("refusal", refusal_words_, record);
}

}  // namespace token
