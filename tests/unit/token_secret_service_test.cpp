// The agent's side of keyring = secret-service, against a helper that keeps secrets in memory. The
// real service is met in tests/integration.
#include <map>
#include <mutex>

#include "token/keyring_secret_service.h"
#include "token_fixture.h"

using base::Fault;
using base::Secret;
using fixture::account_in;
using fixture::FakeHelper;
using fixture::Home;
using token::Kind;

namespace {

// Answers as token/secret_service does.
class Service {
 public:
  net::Record operator()(const net::Record& request) {
    const std::lock_guard<std::mutex> alone(mutex_);
    net::Record answer("answer");
    if (fault) {
      net::put_error(answer, *fault);
      return answer;
    }
    const std::string name = std::string(request.get("account")) + std::string(request.get("kind"));
    const std::string action(request.get("action"));
    prompted = request.get("prompt") == "1";
    if (action == "store") {
      kept[name] = request.get("secret");
      answer.put("state", "stored");
    } else if (action == "erase") {
      answer.put("state", kept.erase(name) > 0 ? "erased" : "none");
    } else if (kept.contains(name)) {
      answer.put("state", other_settings ? "other-settings" : "stored");
      answer.put("secret", kept[name]);
    } else {
      answer.put("state", "none");
    }
    return answer;
  }
  std::map<std::string, std::string> kept;
  std::optional<base::Error> fault;
  bool other_settings = false;
  bool prompted = false;

 private:
  std::mutex mutex_;
};

struct Stand {
  Home home;
  Service service;
  FakeHelper helper{[this](const net::Record& request) { return service(request); }};
  account::Account account = account_in(home);
  std::unique_ptr<token::Keyring> keyring;

  explicit Stand(bool may_prompt = false) {
    account.keyring = account::Keyring::secret_service;
    token::KeyringPlaces places;
    places.helper = helper.door().open;
    places.may_prompt = may_prompt;
    keyring = std::move(*token::open_keyring(account, places));
  }
};

}  // namespace

TEST_CASE("secret service: stored, found, exchanged, erased; one helper for all", "[token]") {
  Stand stand;
  auto& keyring = *stand.keyring;
  CHECK_FALSE(keyring.load(stand.account, Kind::refresh_token)->has_value());
  REQUIRE(keyring.store(stand.account, Kind::refresh_token, Secret("a")).ok());
  CHECK((*keyring.load(stand.account, Kind::refresh_token))->reveal() == "a");
  CHECK_FALSE(*keyring.exchange(stand.account, Kind::refresh_token, Secret("x"), Secret("b")));
  CHECK(*keyring.exchange(stand.account, Kind::refresh_token, Secret("a"), Secret("b")));
  CHECK((*keyring.load(stand.account, Kind::refresh_token))->reveal() == "b");
  CHECK(*keyring.erase(stand.account, Kind::refresh_token));
  CHECK_FALSE(*keyring.erase(stand.account, Kind::refresh_token));
  CHECK(stand.helper.opened == 1);
  CHECK_FALSE(stand.service.prompted);
  stand.keyring.reset();
}

TEST_CASE("secret service: nothing secret lies in the folder, and the stamp tells of changes",
          "[token]") {
  Stand stand;
  auto& keyring = *stand.keyring;
  const std::string before = keyring.stamp(stand.account, Kind::refresh_token);
  REQUIRE(keyring.store(stand.account, Kind::refresh_token, Secret("canary")).ok());
  const std::string stored = keyring.stamp(stand.account, Kind::refresh_token);
  CHECK(stored != before);
  CHECK(keyring.stamp(stand.account, Kind::refresh_token) == stored);
  CHECK(keyring.stamp(stand.account, Kind::password) == before);
  for (const std::string& file : stand.home.files("keyring", "")) {
    CHECK(fixture::content_of(file).find("canary") == std::string::npos);
  }
  CHECK(*keyring.erase(stand.account, Kind::refresh_token));
  CHECK(keyring.stamp(stand.account, Kind::refresh_token) != stored);
  stand.keyring.reset();
}

TEST_CASE("secret service: only with a person there may it ask for a password", "[token]") {
  Stand stand(true);
  CHECK(stand.keyring->load(stand.account, Kind::refresh_token).ok());
  CHECK(stand.service.prompted);
  stand.keyring.reset();
}

TEST_CASE("secret service: errors keep their words, and lose nothing", "[token]") {
  Stand stand;
  auto& keyring = *stand.keyring;
  REQUIRE(keyring.store(stand.account, Kind::refresh_token, Secret("a")).ok());
  stand.service.fault = base::failure(Fault::unavailable, "keyring is locked", "unlock it");
  const auto locked = keyring.load(stand.account, Kind::refresh_token);
  CHECK(locked.error().cause == "keyring is locked");
  CHECK(locked.error().fault == Fault::unavailable);
  CHECK(locked.error().account == "work");
  CHECK_FALSE(keyring.exchange(stand.account, Kind::refresh_token, Secret("a"), Secret("b")).ok());
  CHECK_FALSE(keyring.erase(stand.account, Kind::refresh_token).ok());
  stand.service.fault.reset();
  CHECK((*keyring.load(stand.account, Kind::refresh_token))->reveal() == "a");
  stand.service.other_settings = true;
  CHECK(keyring.load(stand.account, Kind::refresh_token).error().fault == Fault::config);
  stand.keyring.reset();
}

TEST_CASE("secret service: a helper that goes away is an error of this moment", "[token]") {
  Home home;
  account::Account account = account_in(home);
  account.keyring = account::Keyring::secret_service;
  token::KeyringPlaces places;
  places.helper = []() -> base::Result<base::Fd> {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    close(ends[1]);
    return base::Fd(ends[0]);
  };
  const auto keyring = std::move(*token::open_keyring(account, places));
  const auto found = keyring->load(account, Kind::refresh_token);
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().fault == Fault::unavailable);
  CHECK(found.error().cause == "the keyring does not answer");
}
