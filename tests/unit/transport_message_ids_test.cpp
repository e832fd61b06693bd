#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "catch.h"
#include "transport/message_ids.h"

using transport::KnownIds;
using transport::MessageIds;
using transport::MessageIdStore;

namespace {

constexpr std::int64_t day = 24 * 3600;
constexpr std::int64_t now = 1795225377;

struct Place {
  std::string folder;
  std::string path;
  Place() {
    char pattern[] = "/tmp/mailbearer-ids-XXXXXX";
    folder = mkdtemp(pattern);
    path = folder + "/message-ids/work.ids";
  }
  ~Place() { std::filesystem::remove_all(folder); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  MessageIdStore store() const { return MessageIdStore(path); }
  std::string text() const {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
  }
  void write(const std::string& text) const {
    std::filesystem::create_directories(folder + "/message-ids");
    chmod((folder + "/message-ids").c_str(), 0700);
    std::ofstream(path, std::ios::binary) << text;
    chmod(path.c_str(), 0600);
  }
  std::string found(const std::string& id, std::int64_t at = now) const {
    const KnownIds known = store().lookup({id}, at);
    return known.empty() ? "none" : known.begin()->second;
  }
  bool remember(const std::string& ours, const std::string& theirs, std::int64_t at = now) const {
    return store().remember(ours, theirs, at);
  }
};

std::string line(std::int64_t at, const std::string& ours, const std::string& theirs) {
  return std::to_string(at) + " <" + ours + "> <" + theirs + ">\n";
}

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777;
}

account::Account mapping() {
  account::Account account;
  account.name = "work";
  account.map_message_ids = true;
  return account;
}

base::Fate delivered(const std::string& said) {
  base::Fate fate;
  fate.state = base::Fate::State::delivered;
  fate.said = said;
  return fate;
}

mail::Header header(const std::string& name, const std::string& body) {
  mail::Header out;
  out.fields = {{name, body}};
  return out;
}

}  // namespace

TEST_CASE("message id store: what was remembered is found, and nothing else", "[transport]") {
  const Place place;
  CHECK(place.found("a@x") == "none");
  CHECK(!std::filesystem::exists(place.folder + "/message-ids"));  // looking makes nothing
  CHECK(place.remember("a@x", "A@prod"));
  CHECK(place.remember("b@x", "B@prod"));
  CHECK(place.found("a@x") == "A@prod");
  CHECK(place.store().lookup({"c@x", "b@x", "a@x", "b@x"}, now) ==
        KnownIds{{"a@x", "A@prod"}, {"b@x", "B@prod"}});
  CHECK(place.store().lookup({}, now).empty());
  CHECK(place.text() == line(now, "a@x", "A@prod") + line(now, "b@x", "B@prod"));
  CHECK(place.remember("a@x", "again@prod", now + 1));
  CHECK(place.found("a@x") == "again@prod");
}

TEST_CASE("message id store: file and folder are ours alone", "[transport]") {
  const mode_t before = umask(0);
  const Place place;
  CHECK(place.remember("a@x", "A@prod"));
  umask(before);
  CHECK(mode_of(place.folder + "/message-ids") == 0700);
  CHECK(mode_of(place.path) == 0600);
  CHECK(mode_of(place.path + ".lock") == 0600);
}

TEST_CASE("message id store: kept for 30 days", "[transport]") {
  const Place place;
  CHECK(place.remember("a@x", "A@prod"));
  CHECK(place.found("a@x", now + 30 * day - 1) == "A@prod");
  CHECK(place.found("a@x", now + 30 * day) == "none");
  // A clock may be set back a little; a line from far ahead is not believed.
  CHECK(place.found("a@x", now - day) == "A@prod");
  CHECK(place.found("a@x", now - day - 1) == "none");
}

TEST_CASE("message id store: when a third is stale, the file is written anew", "[transport]") {
  const Place place;
  std::string old;
  std::string fresh;
  for (int i = 0; i < 100; ++i)
    old += line(now - 31 * day, "old" + std::to_string(i) + "@x", "o@p");
  for (int i = 0; i < 240; ++i) fresh += line(now, "new" + std::to_string(i) + "@x", "n@p");
  place.write(old + fresh);
  CHECK(place.remember("a@x", "A@prod"));
  CHECK(place.text() == old + fresh + line(now, "a@x", "A@prod"));  // under a third: appended only
  old += old;
  place.write(old + fresh);
  CHECK(place.remember("a@x", "A@prod"));
  CHECK(place.text() == fresh + line(now, "a@x", "A@prod"));
  CHECK(mode_of(place.path) == 0600);
  CHECK(place.found("new0@x") == "n@p");
}

TEST_CASE("message id store: a full file loses its oldest lines", "[transport]") {
  const Place place;
  std::string full;
  int count = 0;
  for (; full.size() <= std::size_t{3} * 1024 * 1024; ++count) {
    full += line(now, std::to_string(count) + "." + std::string(60, 'm') + "@x",
                 std::string(70, 'p') + "@prod");
  }
  CHECK(count > 18000);
  place.write(full);
  const std::string tail = "." + std::string(60, 'm') + "@x";
  CHECK(place.remember("a@x", "A@prod"));
  CHECK(place.text().size() <= std::size_t{2} * 1024 * 1024 + 100);
  CHECK(place.text().size() > std::size_t{2} * 1024 * 1024 - 400);
  CHECK(place.found("a@x") == "A@prod");
  CHECK(place.found(std::to_string(count - 1) + tail) != "none");
  CHECK(place.found("0" + tail) == "none");
}

TEST_CASE("message id store: of a giant file only the end is read, and it is mended",
          "[transport]") {
  const Place place;
  place.write(line(now, "first@x", "F@prod"));
  REQUIRE(truncate(place.path.c_str(), off_t{8} * 1024 * 1024 * 1024) == 0);  // a hole of zeros
  std::ofstream(place.path, std::ios::app) << "\n" + line(now, "last@x", "L@prod");
  CHECK(place.found("first@x") == "none");
  CHECK(place.found("last@x") == "L@prod");
  CHECK(place.remember("a@x", "A@prod"));
  CHECK(place.text() == line(now, "last@x", "L@prod") + line(now, "a@x", "A@prod"));
}

TEST_CASE("message id store: a line that a crash cut short is no line", "[transport]") {
  const std::string whole = line(now, "cut@x", "CUT@prod.outlook.com");
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    const Place place;
    place.write(whole.substr(0, size));
    CHECK(place.remember("a@x", "A@prod"));
    CHECK(place.found("a@x") == "A@prod");
    if (size + 2 < whole.size()) CHECK(place.found("cut@x") == "none");
  }
  const Place place;
  place.write(whole + std::string(40, '\0'));
  CHECK(place.remember("a@x", "A@prod"));
  CHECK(place.found("a@x") == "A@prod");
  CHECK(place.found("cut@x") == "CUT@prod.outlook.com");
}

TEST_CASE("message id store: hostile lines yield nothing and harm no others", "[transport]") {
  const Place place;
  const std::string time = std::to_string(now);
  std::string bad;
  for (const std::string& one :
       std::vector<std::string>{"",
                                " ",
                                ">",
                                "> <",
                                " <> <>",
                                time,
                                time + " <h@x> <>",
                                time + " <> <h@x>",
                                time + " <h@x> <H@p",
                                time + " h@x H@p",
                                time + " <h@x><H@p>",
                                time + " <h@x> <H p>",
                                time + " <h@x> <a> <b>",
                                time + " <h@x> <H@p> ",
                                " <h@x> <H@p>",
                                "x <h@x> <H@p>",
                                "-1 <h@x> <H@p>",
                                "99999999999999999999999 <h@x> <H@p>",
                                time + " <h@x> <H\xff@p>",
                                time + std::string(" <h@x> <H\0@p>", 13),
                                time + " <h@x> <H\r@p>",
                                time + " <h@x> <" + std::string(501, 'a') + ">",
                                std::string(5000, 'z'),
                                std::string(100000, '<'),
                                "> <h@x> <",
                                "> < <",
                                " <> <"}) {
    bad += one + "\n";
  }
  place.write(line(now, "a@x", "A@prod") + bad + line(now, "b@x", "B@prod"));
  CHECK(place.found("h@x") == "none");
  CHECK(place.found("a@x") == "A@prod");
  CHECK(place.found("b@x") == "B@prod");
  CHECK(place.remember("c@x", "C@prod"));
  CHECK(place.found("c@x") == "C@prod");
}

TEST_CASE("message id store: the end of a line that is too long is no line", "[transport]") {
  for (std::size_t size = 16 * 1024 - 12; size < 16 * 1024 + 3; ++size) {
    const Place place;
    place.write(std::string(size, 'z') + line(now, "h@x", "H@p"));
    CHECK(place.found("h@x") == "none");
  }
}

TEST_CASE("message id store: a file of garbage is replaced", "[transport]") {
  const Place place;
  std::string noise;
  for (unsigned i = 0; i < 300000; ++i) noise += static_cast<char>((i * 2654435761U) >> 13);
  place.write(noise);
  CHECK(place.found("a@x") == "none");
  CHECK(place.remember("a@x", "A@prod"));
  CHECK(place.text() == line(now, "a@x", "A@prod"));
}

TEST_CASE("message id store: what is no pair of ids is not kept", "[transport]") {
  const Place place;
  for (const char* id : {"", "a b", "a>", "<a", "a\nb", "a\xc3\xa9"}) {
    CHECK(!place.remember(id, "A@prod"));
    CHECK(!place.remember("a@x", id));
  }
  CHECK(!place.remember("a@x", std::string(501, 'a')));
  CHECK(place.remember(std::string(500, 'a'), std::string(500, 'b')));
  CHECK(place.found(std::string(500, 'a')) == std::string(500, 'b'));
}

TEST_CASE("message id store: links, fifos and files that others may write are not read",
          "[transport]") {
  const Place place;
  const std::string elsewhere = place.folder + "/elsewhere";
  std::ofstream(elsewhere) << line(now, "a@x", "EVIL@prod");
  chmod(elsewhere.c_str(), 0600);
  std::filesystem::create_directory(place.folder + "/message-ids");
  SECTION("symbolic link") {
    REQUIRE(symlink(elsewhere.c_str(), place.path.c_str()) == 0);
  }
  SECTION("hard link") {
    REQUIRE(link(elsewhere.c_str(), place.path.c_str()) == 0);
  }
  SECTION("fifo") {
    REQUIRE(mkfifo(place.path.c_str(), 0600) == 0);
  }
  SECTION("written by others") {
    place.write(line(now, "a@x", "EVIL@prod"));
    chmod(place.path.c_str(), 0666);
  }
  CHECK(place.found("a@x") == "none");
  // The name is taken back; what it led to is untouched.
  CHECK(place.remember("b@x", "B@prod"));
  CHECK(place.text() == line(now, "b@x", "B@prod"));
  std::ifstream file(elsewhere);
  std::string first;
  std::getline(file, first);
  CHECK(first + "\n" == line(now, "a@x", "EVIL@prod"));
}

TEST_CASE("message id store: a folder that others may write keeps nothing", "[transport]") {
  const Place place;
  place.write(line(now, "a@x", "A@prod"));
  chmod((place.folder + "/message-ids").c_str(), 0777);
  CHECK(place.found("a@x") == "none");
  CHECK(!place.remember("b@x", "B@prod"));
}

TEST_CASE("message id store: nowhere to write keeps nothing", "[transport]") {
  const Place place;
  std::ofstream(place.folder + "/file") << "x";
  CHECK(!MessageIdStore(place.folder + "/file/work.ids").remember("a@x", "A@prod", now));
  std::filesystem::create_directories(place.path);  // a folder in place of the file
  CHECK(!place.remember("a@x", "A@prod"));
  CHECK(place.found("a@x") == "none");
  CHECK(!MessageIdStore("/proc/no/such/work.ids").remember("a@x", "A@prod", now));
}

TEST_CASE("message id store: many processes at once lose nothing", "[transport]") {
  const Place place;
  std::string stale;  // the first to come writes the file anew
  for (int i = 0; i < 200; ++i) stale += line(now - 40 * day, "stale@x", "s@p");
  place.write(stale);
  constexpr int processes = 8;
  constexpr int each = 25;
  for (int i = 0; i < processes; ++i) {
    if (fork() != 0) continue;
    for (int j = 0; j < each; ++j) {
      const std::string id = std::to_string(i) + "." + std::to_string(j);
      if (!place.remember(id + "@x", id + "@prod")) _exit(1);
    }
    _exit(0);
  }
  for (int i = 0; i < processes; ++i) {
    int status = -1;
    REQUIRE(wait(&status) > 0);
    CHECK(status == 0);
  }
  std::vector<std::string> ids;
  for (int i = 0; i < processes; ++i) {
    for (int j = 0; j < each; ++j)
      ids.push_back(std::to_string(i) + "." + std::to_string(j) + "@x");
  }
  CHECK(place.store().lookup(ids, now).size() == ids.size());
  CHECK(place.text().find("stale") == std::string::npos);
}

TEST_CASE("message ids: the new id of a delivered message replaces its own in answers",
          "[transport]") {
  const Place place;
  const MessageIds ids(place.folder, mapping());
  ids.remember(header("Message-ID", " <one@x>"),
               {base::Fate{}, delivered("250 2.0.0 OK <ONE@h.prod.example> [Hostname=h]")});
  mail::Header answer = header("In-Reply-To", " <one@x>");
  ids.map(answer);
  CHECK(answer.fields[0].body == " <ONE@h.prod.example>");
  mail::Header other = header("In-Reply-To", " <two@x>");
  ids.map(other);
  CHECK(other.fields[0].body == " <two@x>");
}

TEST_CASE("message ids: nothing is kept of what was not delivered or not renamed", "[transport]") {
  const Place place;
  const MessageIds ids(place.folder, mapping());
  base::Fate lost = delivered("250 OK <LOST@prod>");
  lost.state = base::Fate::State::unknown;
  ids.remember(header("Message-ID", " <one@x>"), {lost});
  ids.remember(header("Message-ID", " <one@x>"), {delivered("250 OK <one@x>")});
  ids.remember(header("Message-ID", " <one@x>"), {delivered("250 OK queued as 1234")});
  ids.remember(header("Message-ID", " one@x"), {delivered("250 OK <NEW@prod>")});
  ids.remember(header("Subject", " s"), {delivered("250 OK <NEW@prod>")});
  ids.remember(header("Message-ID", " <one@x>"), {});
  CHECK(!std::filesystem::exists(place.path));
}

TEST_CASE("message ids: an account that does not map touches no file", "[transport]") {
  const Place place;
  account::Account account = mapping();
  account.map_message_ids = false;
  const std::string said = "250 OK <NEW@prod>";
  for (const MessageIds& ids :
       {MessageIds(place.folder, account), MessageIds("", mapping()), MessageIds("x", mapping())}) {
    ids.remember(header("Message-ID", " <one@x>"), {delivered(said)});
    mail::Header answer = header("In-Reply-To", " <one@x>");
    ids.map(answer);
    CHECK(answer.fields[0].body == " <one@x>");
  }
  CHECK(std::filesystem::is_empty(place.folder));
  CHECK(!std::filesystem::exists("x"));
}
