#include "token/secret_service.h"

#include <libsecret/secret.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "token/keyring_secret_service.h"

namespace token {

namespace {

using base::Error;
using base::Fault;

struct Release {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Object = std::unique_ptr<T, Release>;
struct ReleaseTable {
  void operator()(GHashTable* table) const { g_hash_table_unref(table); }
};
using Table = std::unique_ptr<GHashTable, ReleaseTable>;
struct ReleaseValue {
  void operator()(SecretValue* value) const { secret_value_unref(value); }
};
using Value = std::unique_ptr<SecretValue, ReleaseValue>;

// Takes the error of a GLib call and gives it back.
class Failure {
 public:
  ~Failure() { g_clear_error(&error_); }
  Failure() = default;
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;
  GError** out() { return &error_; }
  bool happened() const { return error_ != nullptr; }
  bool is(GQuark domain, int code) const { return g_error_matches(error_, domain, code) != FALSE; }
  std::string text() const { return error_ == nullptr ? "" : base::clean(error_->message, 120); }

 private:
  GError* error_ = nullptr;
};

constexpr std::array attribute_names = {"account", "user",           "client_id",
                                        "tenant",  "token_endpoint", "kind"};

const SecretSchema* schema() {
  static const SecretSchema one = {
      "org.mailbearer.Credential",
      SECRET_SCHEMA_NONE,
      {
          {"account", SECRET_SCHEMA_ATTRIBUTE_STRING},
          {"user", SECRET_SCHEMA_ATTRIBUTE_STRING},
          {"client_id", SECRET_SCHEMA_ATTRIBUTE_STRING},
          {"tenant", SECRET_SCHEMA_ATTRIBUTE_STRING},
          {"token_endpoint", SECRET_SCHEMA_ATTRIBUTE_STRING},
          {"kind", SECRET_SCHEMA_ATTRIBUTE_STRING},
          {nullptr, SECRET_SCHEMA_ATTRIBUTE_STRING},
      },
      0,
      nullptr,
      nullptr,
      nullptr,
      nullptr,
      nullptr,
      nullptr,
      nullptr,
  };
  return &one;
}

using Names = std::vector<const char*>;

Table attributes(const net::Record& request, const Names& names) {
  Table table(g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free));
  for (const char* name : names) {
    const std::string value(request.get(name));
    g_hash_table_insert(table.get(), g_strdup(name), g_strdup(value.c_str()));
  }
  return table;
}

Names all_names() {
  return {attribute_names.begin(), attribute_names.end()};
}

std::string use_a_file(const net::Record& request) {
  return "or set keyring = file and run: mailbearer login " + std::string(request.get("account"));
}

Error absent(const std::string& cause, const net::Record& request) {
  return base::failure(Fault::unavailable, cause,
                       "start a desktop session with one, " + use_a_file(request));
}

Error locked_error(const net::Record& /*request*/) {
  return base::failure(
      Fault::unavailable, "keyring is locked",
      "unlock it, or run: mailbearer keyring migrate secret-service file; try again");
}

Error failed_error(const Failure& failure, const net::Record& request) {
  if (failure.is(SECRET_ERROR, SECRET_ERROR_IS_LOCKED)) return locked_error(request);
  if (failure.is(G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
      failure.is(G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER)) {
    return absent("no keyring on this session's D-Bus (gnome-keyring, KWallet, KeePassXC)",
                  request);
  }
  Error error = absent("the keyring does not work", request);
  error.said = failure.text();
  return error;
}

// Somebody else's bus would be told our secrets.
base::Done judge_bus(const std::string& path, const net::Record& request) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0 || !S_ISSOCK(facts.st_mode)) {
    return absent("no keyring: this session has no D-Bus (" + path + ")", request);
  }
  const base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(name.sun_path), sizeof name.sun_path - 1);
  if (!socket.open() ||
      connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    return absent("no keyring: the session's D-Bus is gone (" + path + ")", request);
  }
  ucred server{};
  socklen_t length = sizeof server;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &server, &length) != 0 ||
      (server.uid != geteuid() && server.uid != 0)) {
    return absent("no keyring: the D-Bus at " + path + " is another user's", request);
  }
  return base::done();
}

base::Result<Object<SecretService>> open_service(const net::Record& request) {
  const std::string path = session_bus(geteuid());
  base::Done judged = judge_bus(path, request);
  if (!judged) return std::move(judged).error();
  setenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + path).c_str(), 1);
  Failure failure;
  const Object<GDBusConnection> bus(g_bus_get_sync(G_BUS_TYPE_SESSION, nullptr, failure.out()));
  if (!bus) return failed_error(failure, request);
  g_dbus_connection_set_exit_on_close(bus.get(), FALSE);
  Object<SecretService> service(
      secret_service_get_sync(SECRET_SERVICE_OPEN_SESSION, nullptr, failure.out()));
  if (!service) return failed_error(failure, request);
  return service;
}

struct Items {
  std::vector<Object<SecretItem>> all;
  explicit Items(GList* list) {
    for (GList* at = list; at != nullptr; at = at->next) {
      all.emplace_back(static_cast<SecretItem*>(at->data));
    }
    g_list_free(list);
  }
};

bool locked(const Object<SecretItem>& item) {
  return secret_item_get_locked(item.get()) != FALSE;
}

base::Result<Items> search(SecretService* service, const net::Record& request, const Names& names,
                           bool with_secrets) {
  const Table wanted = attributes(request, names);
  unsigned flags = SECRET_SEARCH_ALL;
  if (with_secrets) flags |= SECRET_SEARCH_LOAD_SECRETS;
  if (with_secrets && request.get("prompt") == "1") flags |= SECRET_SEARCH_UNLOCK;
  Failure failure;
  GList* found =
      secret_service_search_sync(service, schema(), wanted.get(),
                                 static_cast<SecretSearchFlags>(flags), nullptr, failure.out());
  if (failure.happened()) return failed_error(failure, request);
  return Items(found);
}

// The collection that new items go to. None: the person has no keyring yet.
base::Result<Object<SecretCollection>> default_collection(SecretService* service,
                                                          const net::Record& request) {
  Failure failure;
  Object<SecretCollection> found(secret_collection_for_alias_sync(
      service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE, nullptr, failure.out()));
  if (failure.happened()) return failed_error(failure, request);
  return found;
}

net::Record with_state(const char* state) {
  net::Record answer("answer");
  answer.put("state", state);
  return answer;
}

net::Record with_error(const Error& error) {
  net::Record answer("answer");
  net::put_error(answer, error);
  return answer;
}

// Nothing fits. Some services show nothing of what is locked: then nobody can say what is there.
net::Record none_found(SecretService* service, const net::Record& request) {
  base::Result<Items> of_account = search(service, request, {"account", "kind"}, false);
  if (!of_account) return with_error(of_account.error());
  if (!of_account->all.empty()) return with_state("other-settings");
  base::Result<Object<SecretCollection>> collection = default_collection(service, request);
  if (!collection) return with_error(collection.error());
  const bool shut = *collection && secret_collection_get_locked(collection->get()) != FALSE;
  return shut ? with_error(locked_error(request)) : with_state("none");
}

net::Record load(SecretService* service, const net::Record& request) {
  base::Result<Items> found = search(service, request, all_names(), true);
  if (!found) return with_error(found.error());
  if (found->all.empty()) return none_found(service, request);
  std::erase_if(found->all, locked);
  if (found->all.empty()) return with_error(locked_error(request));
  // Of several, such as after a restored backup, the last that was written.
  const auto newest = std::max_element(
      found->all.begin(), found->all.end(), [](const auto& one, const auto& other) {
        return secret_item_get_modified(one.get()) < secret_item_get_modified(other.get());
      });
  const Value value(secret_item_get_secret(newest->get()));
  if (!value) return with_error(locked_error(request));
  gsize length = 0;
  const char* bytes = secret_value_get(value.get(), &length);
  net::Record answer = with_state("stored");
  answer.put("secret", std::string_view(bytes, length));
  return answer;
}

// Open for writing; unlocked, or made, only when a person is there to be asked.
base::Result<Object<SecretCollection>> open_collection(SecretService* service,
                                                       const net::Record& request) {
  const bool person = request.get("prompt") == "1";
  base::Result<Object<SecretCollection>> found = default_collection(service, request);
  if (!found) return found;
  Failure failure;
  if (!*found) {
    if (!person) return absent("the session has no default keyring", request);
    Object<SecretCollection> made(
        secret_collection_create_sync(service, "Login", SECRET_COLLECTION_DEFAULT,
                                      SECRET_COLLECTION_CREATE_NONE, nullptr, failure.out()));
    if (made) return made;
    if (failure.happened()) return failed_error(failure, request);
    return absent("no default keyring was made", request);
  }
  if (secret_collection_get_locked(found->get()) == FALSE) return found;
  if (!person) return locked_error(request);
  GList wanted{found->get(), nullptr, nullptr};
  GList* unlocked = nullptr;
  const int count = secret_service_unlock_sync(service, &wanted, nullptr, &unlocked, failure.out());
  g_list_free_full(unlocked, g_object_unref);
  if (count < 1) return locked_error(request);
  return found;
}

net::Record store(SecretService* service, const net::Record& request) {
  base::Result<Object<SecretCollection>> collection = open_collection(service, request);
  if (!collection) return with_error(collection.error());
  const std::string_view secret = request.get("secret");
  const Value value(
      secret_value_new(secret.data(), static_cast<gssize>(secret.size()), "text/plain"));
  const Table exact = attributes(request, all_names());
  const std::string label = "Mailbearer: " + std::string(request.get("kind")) + " of " +
                            std::string(request.get("account")) + " (" +
                            std::string(request.get("user")) + ")";
  Failure failure;
  const Object<SecretItem> item(
      secret_item_create_sync(collection->get(), schema(), exact.get(), label.c_str(), value.get(),
                              SECRET_ITEM_CREATE_REPLACE, nullptr, failure.out()));
  if (!item) return with_error(failed_error(failure, request));
  return with_state("stored");
}

net::Record erase(SecretService* service, const net::Record& request) {
  base::Result<Items> found = search(service, request, {"account", "kind"}, true);
  if (!found) return with_error(found.error());
  if (found->all.empty()) {
    net::Record answer = none_found(service, request);
    return answer.get("state") == "other-settings" ? with_state("none") : std::move(answer);
  }
  // All or none: what is locked cannot be erased, and must not be left without a word.
  if (std::any_of(found->all.begin(), found->all.end(), locked)) {
    return with_error(locked_error(request));
  }
  for (const auto& item : found->all) {
    Failure failure;
    if (secret_item_delete_sync(item.get(), nullptr, failure.out()) == FALSE) {
      return with_error(failed_error(failure, request));
    }
  }
  return with_state("erased");
}

}  // namespace

Error service_too_slow(const net::Record& request) {
  return absent("the keyring does not answer (within " +
                    std::to_string(request.number("wait_ms", service_ms) / 1000) + " s)",
                request);
}

net::Record serve_keyring_request(const net::Record& request) {
  base::Result<Object<SecretService>> service = open_service(request);
  if (!service) return with_error(service.error());
  const std::string_view action = request.get("action");
  if (action == "load") return load(service->get(), request);
  if (action == "store") return store(service->get(), request);
  if (action == "erase") return erase(service->get(), request);
  return with_error(base::failure(Fault::protocol, "unknown action of the keyring"));
}

}  // namespace token
