#include "sandbox/sandbox.h"

#include <fcntl.h>

#include <cerrno>

#include "base/file.h"
#include "base/random.h"
#include "sandbox/assertion.h"
#include "sandbox/start_files.h"

namespace sandbox {

namespace {

constexpr const char* host_name = "SANDBOX0001.sandbox.example";
constexpr std::size_t certificate_limit_bytes = 64 * 1024;

Places places_of(const Options& options) {
  Places places;
  places.directory = options.directory;
  places.ca_file = options.directory + "/ca.pem";
  places.maildir = options.directory + "/Maildir";
  places.journal = options.directory + "/journal.jsonl";
  places.host = options.host;
  places.control_token = base::random_hex(24);
  return places;
}

// The first confidential application gets the certificate of --app-certificate.
base::Done add_certificate(const std::string& path, Seed& seed) {
  if (path.empty()) return base::done();
  const base::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return base::failure_errno(base::Fault::config, "cannot open " + path, errno);
  base::Result<std::string> pem = base::read_all(file.get(), certificate_limit_bytes, path);
  if (!pem) return std::move(pem).error();
  if (!is_rsa_certificate(*pem)) {
    return base::failure(base::Fault::config, path + " holds no certificate with an RSA key");
  }
  for (App& app : seed.apps) {
    if (app.is_public()) continue;
    app.certificates.push_back(*pem);
    return base::done();
  }
  return base::failure(base::Fault::config, "no confidential application for " + path);
}

base::Result<Seed> seed_of(const Options& options) {
  base::Result<Seed> seed = options.seed_file.empty() ? base::Result<Seed>(built_in_seed())
                                                      : read_seed(options.seed_file);
  if (!seed) return seed;
  base::Done added = add_certificate(options.app_certificate, *seed);
  if (!added) return std::move(added).error();
  return seed;
}

// An absolute path: sandbox.json is read from elsewhere.
base::Result<std::string> real_directory(const std::string& path) {
  base::Done made = base::make_folders(path, 0700);
  if (!made) return std::move(made).error();
  const std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), free);
  if (!real) return base::failure_errno(base::Fault::cannot_create, "cannot open " + path, errno);
  return std::string(real.get());
}

}  // namespace

Sandbox::Sandbox(const Options& options, Seed seed, Journal journal,
                 std::unique_ptr<TlsIdentity> tls)
    : options_(options),
      places_(places_of(options)),
      tenant_(std::move(seed)),
      journal_(std::move(journal)),
      limits_(options.messages_per_minute, options.connections_per_mailbox),
      tls_(std::move(tls)),
      services_{options_, tenant_,         journal_,  faults_,  limits_,
                *tls_,    places_.maildir, host_name, stopping_},
      identity_(options_, tenant_, journal_, faults_),
      graph_(services_) {}

base::Result<std::unique_ptr<Sandbox>> Sandbox::start(const Options& asked) {
  Options options = asked;
  base::Result<Seed> seed = seed_of(options);
  if (!seed) return std::move(seed).error();
  base::Result<std::string> directory = real_directory(options.directory);
  if (!directory) return std::move(directory).error();
  options.directory = std::move(directory).value();
  base::Done maildir = make_maildir(options.directory + "/Maildir");
  if (!maildir) return std::move(maildir).error();
  base::Result<Journal> journal = Journal::open(options.directory + "/journal.jsonl");
  if (!journal) return std::move(journal).error();
  base::Result<std::unique_ptr<TlsIdentity>> tls = TlsIdentity::make();
  if (!tls) return std::move(tls).error();
  std::unique_ptr<Sandbox> sandbox(new Sandbox(options, std::move(seed).value(),
                                               std::move(journal).value(), std::move(tls).value()));
  base::Done opened = sandbox->open_ports();
  if (!opened) return std::move(opened).error();
  sandbox->serve();
  base::Done written = write_start_files(sandbox->places_, sandbox->options_, sandbox->tenant_,
                                         sandbox->tls_->ca_pem());
  if (!written) return std::move(written).error();
  return sandbox;
}

base::Done Sandbox::open_ports() {
  const std::vector<std::string> addresses = options_.bind_addresses.empty()
                                                 ? std::vector<std::string>{"127.0.0.1", "::1"}
                                                 : options_.bind_addresses;
  const auto port = [](std::int64_t number) { return static_cast<std::uint16_t>(number); };
  base::Done bound = http_.bind(*tls_, addresses, port(options_.http_port));
  if (bound) bound = smtp_.bind(addresses, port(options_.smtp_port));
  if (bound) bound = smtps_.bind(addresses, port(options_.smtps_port));
  if (!bound) return bound;
  places_.http_port = http_.port();
  places_.smtp_port = smtp_.port();
  places_.smtps_port = smtps_.port();
  const std::string shown = places_.host == "::1" ? "[::1]" : places_.host;
  places_.base_url = "https://" + shown + ":" + std::to_string(places_.http_port);
  return bound;
}

void Sandbox::serve() {
  identity_.set_base_url(places_.base_url);
  control_ = std::make_unique<Control>(options_, tenant_, journal_, faults_, limits_,
                                       graph_.drafts(), places_.control_token);
  graph_.set_base_url(places_.base_url);
  http_.start(
      [this](const WebRequest& request) {
        if (request.path.rfind("/control/", 0) == 0) return control_->answer(request);
        if (Graph::owns(request.path)) return graph_.answer(request);
        return identity_.answer(request);
      },
      [this](WebRequest& request) { return graph_.gate(request); });
  const auto dialogue = [this](bool implicit_tls) {
    return [this, implicit_tls](Connection& connection) {
      Submission(services_, connection, ++connections_).run(implicit_tls);
    };
  };
  smtp_.start(dialogue(false));
  smtps_.start(dialogue(true));
}

void Sandbox::stop() {
  stopping_ = true;
  smtp_.stop();
  smtps_.stop();
  http_.stop();
}

}  // namespace sandbox
