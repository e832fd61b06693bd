#include <algorithm>
#include <mutex>

#include "base/seal.h"
#include "catch.h"
#include "https_server.h"
#include "mail/mime_split.h"
#include "net/http_curl.h"
#include "transport/graph.h"
#include "transport/graph_call.h"
#include "transport/graph_items.h"
#include "transport/graph_split.h"
#include "transport_script.h"

using base::Fault;
using script::HttpsServer;
using script::say;
using State = base::Fate::State;

namespace {

constexpr std::size_t slice = std::size_t{12} * 320 * 1024;

std::string json(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nrequest-id: 11-22\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string lines_of(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 76) out += text.substr(at, 76) + "\r\n";
  return out;
}

// Mailbox of one message: its answers may be replaced, by "METHOD last-word-of-the-path".
struct Mailbox {
  explicit Mailbox(std::map<std::string, std::vector<std::string>> others = {})
      : answers(std::move(others)),
        server([this](const std::string& request, SSL* tls) { say(tls, answer_to(request)); }) {}

  std::string answer_to(const std::string& request) {
    const std::lock_guard<std::mutex> guard(lock);
    const std::string line = request.substr(0, request.find(" HTTP/"));
    std::string key = line.substr(0, line.find(' ')) + " " + line.substr(line.rfind('/') + 1);
    key = key.substr(0, key.find('?'));
    seen.push_back(key);
    requests.push_back(request);
    std::vector<std::string>& mine = answers[key];
    if (!mine.empty()) {
      const std::string first = mine.front();
      mine.erase(mine.begin());
      if (first != "as usual") return first;
    }
    if (key == "POST messages") return json("201 Created", "{\"id\":\"AAMk=\",\"isDraft\":true}");
    if (key == "POST createUploadSession") {
      return json("201 Created", "{\"uploadUrl\":\"" + upload_url + "\"}");
    }
    if (key == "PUT upload") {
      const bool last = request.find("/5000000\r\n") != std::string::npos &&
                        request.find("-4999999/") != std::string::npos;
      return last ? json("201 Created", "")
                  : json("200 OK", "{\"nextExpectedRanges\":[\"3932160\"]}");
    }
    if (key == "POST send") return json("202 Accepted", "");
    return json("204 No Content", "");
  }

  int count(const std::string& key) {
    return static_cast<int>(std::count(seen.begin(), seen.end(), key));
  }

  std::mutex lock;
  std::map<std::string, std::vector<std::string>> answers;
  std::string upload_url{};
  std::vector<std::string> seen{};
  std::vector<std::string> requests{};
  HttpsServer server;
};

struct Trial {
  Trial() : bytes(5'000'000, 'z') {
    account.name = "work";
    account.user = "me@corp.example";
    account.transport = account::Transport::graph;
    account.graph_large = "upload";
    account.graph_upload_hosts = {"outlook.office.com"};
    account.timeout_s = 5;
    message = script::a_message(
        {"you@else.example"},
        "--e\r\nContent-Type: text/plain\r\n\r\nx\r\n--e\r\nContent-Type: application/zip; "
        "name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
            lines_of(base::base64(bytes)) + "--e--\r\n");
    message.message.header.append("MIME-Version", "1.0");
    message.message.header.append("Content-Type", "multipart/mixed; boundary=e");
  }

  const base::Fate& against(Mailbox& mailbox) {
    account.graph_endpoint = mailbox.server.url("127.0.0.1") + "/v1.0";
    account.ca_file = mailbox.server.ca_file();
    if (mailbox.upload_url.empty()) {
      mailbox.upload_url = mailbox.server.url("127.0.0.1") + "/upload?authtoken=url-canary-1234";
    }
    transport::Delivery delivery;
    delivery.account = &account;
    delivery.message = &message;
    delivery.token = [this](bool fresh) -> base::Result<base::Secret> {
      asked.push_back(fresh);
      return base::Secret(fresh ? "tok-canary-fresh" : "tok-canary-usable");
    };
    delivery.ask = [this](const net::Record& request, base::Deadline) { return serve(request); };
    delivery.trace = [this](std::string_view line) { trace += std::string(line) + "\n"; };
    fates = transport::deliver_by_graph(delivery);
    REQUIRE(fates.size() == 1);
    CHECK(trace.find("canary") == std::string::npos);
    CHECK(fates[0].error.said.find("canary") == std::string::npos);
    for (const std::string& request : mailbox.requests) {
      const bool upload = request.find("url-canary") != std::string::npos;
      CHECK((request.find("Authorization: Bearer tok-") == std::string::npos) == upload);
    }
    return fates.front();
  }

  base::Result<net::Record> serve(const net::Record& request) {
    net::Record copy(request.verb());
    for (const auto& [name, value] : request.fields()) copy.put(name, value.reveal());
    if (request.attached.open()) copy.attached.reset(dup(request.attached.get()));
    if (request.verb() == "graph-call") return transport::serve_graph_call(std::move(copy), client);
    REQUIRE(request.verb() == "split");
    base::Result<base::Scratch> whole = base::Scratch::adopt(std::move(copy.attached));
    base::Result<mail::Split> split = mail::split_with_gmime(*whole, transport::split_limits(copy));
    if (split) return transport::split_answer(*split);
    net::Record failed("answer");
    net::put_error(failed, split.error());
    return failed;
  }

  std::string bytes;
  account::Account account{};
  mail::Prepared message{};
  net::CurlClient client{};
  std::vector<bool> asked{};
  std::string trace{};
  std::vector<base::Fate> fates{};
};

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

}  // namespace

TEST_CASE("upload: draft, session, slices, send", "[transport]") {
  Mailbox mailbox;
  Trial trial;
  const base::Fate& fate = trial.against(mailbox);
  INFO(fate.error.cause << trial.trace);
  CHECK(fate.state == State::delivered);
  CHECK(fate.said == "202 11-22");
  REQUIRE(mailbox.seen == std::vector<std::string>{"POST messages", "POST createUploadSession",
                                                   "PUT upload", "PUT upload", "POST send"});
  CHECK(mailbox.requests[0].rfind("POST /token/v1.0/me/messages HTTP/1.1\r\n", 0) == 0);
  const std::string draft = base::from_base64(body_of(mailbox.requests[0])).value();
  CHECK(draft.find("Bcc: you@else.example") != std::string::npos);
  CHECK(draft.ends_with("\r\n\r\n--e\r\nContent-Type: text/plain\r\n\r\nx\r\n--e--\r\n"));
  CHECK(mailbox.requests[1].find("/me/messages/AAMk%3D/attachments/createUploadSession HTTP") !=
        std::string::npos);
  CHECK(body_of(mailbox.requests[1]) ==
        "{\"AttachmentItem\":{\"attachmentType\":\"file\",\"size\":5000000,\"name\":\"a\","
        "\"contentType\":\"application/zip\",\"isInline\":false}}");
  CHECK(mailbox.requests[2].find("Content-Range: bytes 0-3932159/5000000\r\n") !=
        std::string::npos);
  CHECK(mailbox.requests[3].find("Content-Range: bytes 3932160-4999999/5000000\r\n") !=
        std::string::npos);
  CHECK(body_of(mailbox.requests[2]) + body_of(mailbox.requests[3]) == trial.bytes);
  CHECK(body_of(mailbox.requests[2]).size() == slice);
  CHECK(mailbox.requests[4].find("Content-Length: 0\r\n") != std::string::npos);
  CHECK(trial.trace.find("= uploaded 4 of 5 MB\n") != std::string::npos);
}

TEST_CASE("upload: an address that is not plausible gets nothing", "[transport]") {
  for (const std::string& url :
       {std::string("http://outlook.office.com/upload"), std::string("https://evil.example/upload"),
        std::string("https://outlook.office.com.evil.example/u"),
        std::string("https://outlook.office.com@evil.example/u"),
        std::string("https://outlook.office.com:444/upload"), std::string("https://127.0.0.1:1/u"),
        std::string("ftp://outlook.office.com/u"), std::string("file:///etc/passwd"),
        std::string("upload"), "https://x/" + std::string(9000, 'x')}) {
    INFO(url.substr(0, 60));
    Mailbox mailbox;
    mailbox.upload_url = url;
    Trial trial;
    const base::Fate& fate = trial.against(mailbox);
    CHECK(fate.error.fault == Fault::protocol);
    CHECK(mailbox.count("POST send") == 0);
    CHECK(mailbox.seen.back() == "DELETE AAMk%3D");
  }
}

TEST_CASE("upload: a session goes on where it says", "[transport]") {
  // The first slice is taken in part; a broken one is asked about.
  Mailbox mailbox({{"PUT upload",
                    {json("200 OK", "{\"nextExpectedRanges\":[\"1000000-4999999\"]}"),
                     json("503 Busy", ""), "as usual"}},
                   {"GET upload", {json("200 OK", "{\"nextExpectedRanges\":[\"2000000-\"]}")}}});
  Trial trial;
  CHECK(trial.against(mailbox).state == State::delivered);
  REQUIRE(mailbox.count("PUT upload") == 3);
  CHECK(mailbox.requests[3].find("bytes 1000000-4932159/5000000\r\n") != std::string::npos);
  CHECK(mailbox.requests[5].find("bytes 2000000-4999999/5000000\r\n") != std::string::npos);
}

TEST_CASE("upload: a session that never gets on ends", "[transport]") {
  Mailbox mailbox({{"PUT upload", std::vector<std::string>(
                                      50, json("200 OK", "{\"nextExpectedRanges\":[\"0-\"]}"))}});
  Trial trial;
  CHECK(trial.against(mailbox).state != State::delivered);
  CHECK(mailbox.count("PUT upload") < 15);
  CHECK(mailbox.seen.back() == "DELETE AAMk%3D");
}

TEST_CASE("upload: a session that claims bytes it was not sent gets them all", "[transport]") {
  Mailbox mailbox(
      {{"PUT upload", {json("200 OK", "{\"nextExpectedRanges\":[\"999999999999-\"]}")}}});
  Trial trial;
  CHECK(trial.against(mailbox).state == State::delivered);
  REQUIRE(mailbox.count("PUT upload") == 2);
  CHECK(mailbox.requests[3].find("bytes 3932160-4999999/5000000\r\n") != std::string::npos);
}

TEST_CASE("upload: a session that does not say what it has is not trusted", "[transport]") {
  Mailbox mailbox({{"PUT upload", {"as usual", json("503 Busy", "")}},
                   {"GET upload", {json("200 OK", "<html>Welcome</html>")}}});
  Trial trial;
  CHECK(trial.against(mailbox).state == State::delivered);
  CHECK(mailbox.count("POST messages") == 2);
  CHECK(mailbox.count("DELETE AAMk%3D") == 1);
  CHECK(mailbox.count("PUT upload") == 4);
  CHECK(mailbox.count("POST send") == 1);
}

TEST_CASE("upload: a session that goes back and forth ends", "[transport]") {
  std::vector<std::string> answers;
  for (int i = 0; i < 25; ++i) {
    answers.push_back(json("200 OK", "{\"nextExpectedRanges\":[\"1000-\"]}"));
    answers.push_back(json("200 OK", "{\"nextExpectedRanges\":[\"0-\"]}"));
  }
  Mailbox mailbox({{"PUT upload", answers}});
  Trial trial;
  CHECK(trial.against(mailbox).state != State::delivered);
  CHECK(mailbox.count("PUT upload") < 15);
  CHECK(mailbox.seen.back() == "DELETE AAMk%3D");
}

TEST_CASE("upload: a draft that Graph answers with its whole text", "[transport]") {
  const std::string text(3'000'000, 'x');
  Mailbox mailbox({{"POST messages",
                    {json("201 Created", "{\"body\":{\"content\":\"" + text +
                                             "\",\"id\":\"no\"},\"id\":\"AAMk=\"}")}}});
  Trial trial;
  CHECK(trial.against(mailbox).state == State::delivered);
}

TEST_CASE("upload: a draft that is not named, or not made", "[transport]") {
  struct Row {
    std::string answer;
    State state;
    bool may_be_left;
  };
  const std::vector<Row> rows = {
      {json("201 Created", "{}"), State::deferred, true},
      {json("201 Created", "no json"), State::deferred, true},
      {json("201 Created", "{\"id\":\"a\\u0000b\"}"), State::deferred, true},
      {"HTTP/1.1 2", State::deferred, true},
      {json("504 Gateway", ""), State::deferred, true},
      {json("400 Bad", "{\"error\":{\"code\":\"ErrorMimeContentConversionFailed\"}}"),
       State::refused, false},
      {json("403 Forbidden", "{\"error\":{\"code\":\"ErrorAccessDenied\"}}"), State::held, false},
  };
  for (const Row& row : rows) {
    INFO(row.answer);
    Mailbox mailbox({{"POST messages", {row.answer}}});
    Trial trial;
    const base::Fate& fate = trial.against(mailbox);
    CHECK(fate.state == row.state);
    CHECK((fate.error.cure.find("a draft of it may be left") != std::string::npos) ==
          row.may_be_left);
    CHECK(mailbox.seen.size() == 1);
  }
}

TEST_CASE("upload: what an answer of send means for the draft", "[transport]") {
  struct Row {
    std::string answer;
    State state;
  };
  const std::vector<Row> rows = {
      {json("200 OK", ""), State::unknown},     {json("204 No Content", ""), State::unknown},
      {json("500 Error", ""), State::unknown},  {json("504 Gateway", ""), State::unknown},
      {"HTTP/1.1 20", State::unknown},          {json("429 Slow", ""), State::deferred},
      {json("413 Large", ""), State::refused},  {json("403 No", ""), State::held},
      {json("404 Not Found", ""), State::held},
  };
  for (const Row& row : rows) {
    INFO(row.answer);
    Mailbox mailbox({{"POST send", {row.answer}}});
    Trial trial;
    CHECK(trial.against(mailbox).state == row.state);
    CHECK(mailbox.count("POST send") == 1);
    CHECK((mailbox.seen.back() == "DELETE AAMk%3D") == (row.state != State::unknown));
  }
  // Refused tokens are no answer.
  Mailbox mailbox({{"POST send", {json("401 No", "")}}});
  Trial trial;
  CHECK(trial.against(mailbox).state == State::delivered);
  CHECK(mailbox.count("POST send") == 2);
}

TEST_CASE("upload: names and bytes in JSON", "[transport]") {
  const transport::UploadItem item{"a\"\\\xC3\xBC\xFF.txt", "text/plain", "id@x", true, 3};
  const transport::Around around = transport::attachment_text(item);
  CHECK(around.before ==
        "{\"@odata.type\":\"#microsoft.graph.fileAttachment\",\"name\":"
        "\"a\\\"\\\\\xC3\xBC\xEF\xBF\xBD.txt\","
        "\"contentType\":\"text/"
        "plain\",\"isInline\":true,\"contentId\":\"id@x\",\"contentBytes\":\"");
  CHECK(around.behind == "\"}");
  for (const auto& [text, next] : std::vector<std::pair<std::string, std::optional<std::uint64_t>>>{
           {"{\"nextExpectedRanges\":[\"7-\",\"1\"]}", 7},
           {"{\"nextExpectedRanges\":[\"7-9\"]}", 7},
           {"{\"nextExpectedRanges\":[\"7\"]}", 7},
           {"{\"nextExpectedRanges\":[\"-7\"]}", std::nullopt},
           {"{\"nextExpectedRanges\":[7]}", std::nullopt},
           {"{\"nextExpectedRanges\":[]}", std::nullopt},
           {"{\"nextExpectedRanges\":[\"99999999999999999999-\"]}", std::nullopt},
           {std::string(100'000, '['), std::nullopt}}) {
    INFO(text.substr(0, 80));
    CHECK(transport::read_item(text).next == next);
  }
}
