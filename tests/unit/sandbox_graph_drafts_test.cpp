#include "catch.h"
#include "sandbox/graph_message.h"
#include "sandbox_client.h"

using namespace sandbox_test;
using sandbox::Json;
using sandbox::Options;

namespace {

constexpr const char* both_scopes =
    "https://graph.microsoft.com/Mail.Send https://graph.microsoft.com/Mail.ReadWrite";
constexpr const char* simple =
    "From: me@sandbox.example\r\nTo: ann@example.org\r\nBcc: b@example.org\r\nSubject: s\r\n"
    "Message-ID: <1@x>\r\nContent-Type: text/plain\r\n\r\nbody\r\n";

class Drafts {
 public:
  explicit Drafts(const Options& options = small()) : running(options) {
    token_ = refresh(running, first_refresh_token(running), both_scopes).json()["access_token"];
  }
  static Options small() {
    Options options;
    options.graph_session_minimum = 10;
    return options;
  }
  Answer ask(const std::string& method, const std::string& rest, const std::string& body = {},
             const std::string& type = "application/json") const {
    return http(running, method, "/v1.0/me/messages" + rest, body, type, "Bearer " + token_);
  }
  std::string make() const {
    return ask("POST", "", base::base64(simple), "text/plain").json()["id"];
  }
  Answer start(const std::string& draft, std::size_t size) const {
    const Json item = {{"attachmentType", "file"},
                       {"name", "gr\xc3\xbc\xc3\x9f.bin"},
                       {"size", size},
                       {"contentType", "image/png"},
                       {"contentId", "cid1"},
                       {"isInline", true}};
    return ask("POST", "/" + draft + "/attachments/createUploadSession",
               sandbox::write_json({{"AttachmentItem", item}}));
  }
  std::string upload_path(const Answer& session) const {
    const std::string url = session.json()["uploadUrl"];
    return url.substr(running.places().base_url.size());
  }
  Answer slice(const std::string& path, std::size_t from, const std::string& bytes,
               std::size_t total, const std::string& more = {}) const {
    Client client(running.places().http_port, running.places().ca_file);
    Answer answer;
    if (!client.start_tls()) return answer;
    client.send("PUT " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " +
                std::to_string(bytes.size()) + "\r\nContent-Range: bytes " + std::to_string(from) +
                "-" + std::to_string(from + bytes.size() - 1) + "/" + std::to_string(total) +
                "\r\n" + more + "\r\n" + bytes);
    const std::string all = client.rest();
    const std::size_t end = all.find("\r\n\r\n");
    if (end == std::string::npos) return answer;
    answer.head = all.substr(0, end + 2);
    answer.body = all.substr(end + 4);
    answer.status = std::atoi(all.substr(9, 3).c_str());
    return answer;
  }
  Json left() const {
    return http(running, "GET", "/control/drafts", "", "",
                "Bearer " + running.places().control_token)
        .json();
  }
  Running running;

 private:
  std::string token_;
};

bool holds(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("graph: a draft is made, read, sent and gone", "[sandbox]") {
  const Drafts drafts;
  const Answer made = drafts.ask("POST", "", base::base64(simple), "text/plain");
  REQUIRE(made.status == 201);
  CHECK(made.json()["isDraft"] == true);
  CHECK(made.json()["internetMessageId"] == "<1@x>");
  const std::string id = made.json()["id"];
  CHECK(drafts.ask("GET", "/" + id).status == 200);
  CHECK(drafts.running.mails().empty());
  CHECK(drafts.left()["drafts"][0]["recipients"] ==
        Json::array({"ann@example.org", "b@example.org"}));
  CHECK(drafts.ask("POST", "/" + id + "/send").status == 202);
  CHECK(drafts.ask("GET", "/" + id).status == 404);
  CHECK(drafts.ask("POST", "/" + id + "/send").status == 404);
  CHECK(drafts.running.mails().size() == 1);
  CHECK(holds(drafts.running.file(drafts.running.mails()[0]), "X-Envelope-To: <b@example.org>"));
  const std::string other = drafts.make();
  CHECK(drafts.ask("DELETE", "/" + other).status == 204);
  CHECK(drafts.ask("DELETE", "/" + other).status == 404);
  CHECK(drafts.left()["drafts"].empty());
}

TEST_CASE("graph: drafts need Mail.ReadWrite", "[sandbox]") {
  const Running running;
  const std::string token =
      refresh(running, first_refresh_token(running), "https://graph.microsoft.com/Mail.Send")
          .json()["access_token"];
  CHECK(http(running, "POST", "/v1.0/me/messages", base::base64(simple), "text/plain",
             "Bearer " + token)
            .status == 403);
}

TEST_CASE("graph: an upload session takes slices in order", "[sandbox]") {
  const Drafts drafts;
  const std::string id = drafts.make();
  CHECK(holds(drafts.start(id, 9).body, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"));
  const Answer started = drafts.start(id, 30);
  REQUIRE(started.status == 201);
  CHECK(started.json()["nextExpectedRanges"] == Json::array({"0-"}));
  CHECK(started.json().contains("expirationDateTime"));
  const std::string path = drafts.upload_path(started);
  const std::string ten(10, '\0');
  CHECK(drafts.slice(path + "x", 0, ten, 30).status == 404);
  CHECK(drafts.slice(path, 0, ten, 30, "Authorization: Bearer x\r\n").status == 401);
  CHECK(drafts.slice(path, 10, ten, 30).status == 416);
  CHECK(drafts.slice(path, 0, ten, 31).status == 400);
  const Answer first = drafts.slice(path, 0, ten, 30);
  CHECK(first.status == 200);
  CHECK(first.json()["nextExpectedRanges"] == Json::array({"10"}));
  CHECK(drafts.slice(path, 0, ten, 30).status == 416);
  control(drafts.running, "fault", {{"stage", "graph.slice"}, {"action", "reset"}, {"keep", true}});
  CHECK(drafts.slice(path, 10, ten, 30).status == 0);
  const Answer state = http(drafts.running, "GET", path);
  CHECK(state.json()["nextExpectedRanges"] == Json::array({"20-"}));
  const Answer last = drafts.slice(path, 20, ten, 30);
  CHECK(last.status == 201);
  CHECK(holds(last.head, "Location: "));
  CHECK(http(drafts.running, "GET", path).status == 404);
  CHECK(drafts
            .ask("POST", "/" + id + "/attachments",
                 sandbox::write_json({{"@odata.type", "#microsoft.graph.fileAttachment"},
                                      {"name", "a.txt"},
                                      {"contentBytes", base::base64("hello")}}))
            .status == 201);
  REQUIRE(drafts.ask("POST", "/" + id + "/send").status == 202);
  const std::string mail = drafts.running.file(drafts.running.mails()[0]);
  CHECK(holds(mail, "Content-ID: <cid1>"));
  CHECK(holds(mail, "filename*=utf-8''gr%C3%BC%C3%9F.bin"));
  CHECK(holds(mail, base::base64(std::string(30, '\0'))));
  CHECK(holds(mail, "filename=\"a.txt\""));
  CHECK(holds(mail, base::base64("hello")));
  CHECK(holds(mail, "Content-Type: text/plain\r\n\r\nbody\r\n"));
}

TEST_CASE("graph: a session expires, and is given up", "[sandbox]") {
  const Drafts drafts;
  const std::string id = drafts.make();
  const std::string path = drafts.upload_path(drafts.start(id, 20));
  CHECK(drafts.slice(path, 0, std::string(10, 'x'), 20).status == 200);
  CHECK(control(drafts.running, "sessions", {{"expired", true}}).status == 200);
  CHECK(drafts.slice(path, 10, std::string(10, 'x'), 20).status == 404);
  const std::string next = drafts.upload_path(drafts.start(id, 20));
  CHECK(http(drafts.running, "DELETE", next).status == 204);
  CHECK(http(drafts.running, "GET", next).status == 404);
  CHECK(drafts.ask("DELETE", "/" + id).status == 204);
  CHECK(drafts.left() == Json({{"drafts", Json::array()}, {"sessions", 0}}));
}
