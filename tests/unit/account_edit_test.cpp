#include "account/edit.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "account/config_file.h"
#include "account_files.h"

using account::Change;
using account::edit_file;
using account::edit_text;
using account::Profile;
using account::SectionEdit;

namespace {

std::string edited(const std::string& text, const std::vector<SectionEdit>& edits) {
  const auto answer = edit_text(text, edits, "f");
  if (!answer) FAIL(answer.error().cause);
  return *answer;
}

std::string set(const std::string& text, const std::string& section, const std::string& key,
                const std::string& value) {
  return edited(text, {{section, {{key, value}}}});
}

std::string contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

mode_t mode_of(const std::string& file) {
  struct stat facts {};
  REQUIRE(stat(file.c_str(), &facts) == 0);
  return facts.st_mode & 07777;
}

}  // namespace

TEST_CASE("edit: an empty file gets its sections in the order asked for", "[account]") {
  CHECK(
      edited("", {{"mailbearer", {{"default", "work"}}},
                  {"account work", {{"user", "me@example.org"}, {"provider", "google"}}}}) ==
      "[mailbearer]\ndefault = work\n\n[account work]\nuser = me@example.org\nprovider = google\n");
}

TEST_CASE("edit: of a line only the value changes", "[account]") {
  const std::string text =
      "# mine\n\n[account  work] ; here\n\tuser\t=  a@b.c\t; old one\nfrom = a@b.c;x  \n";
  CHECK(set(text, "account work", "user", "d@e.f") ==
        "# mine\n\n[account  work] ; here\n\tuser\t=  d@e.f\t; old one\nfrom = a@b.c;x  \n");
  CHECK(set(text, "account work", "from", "*@b.c") ==
        "# mine\n\n[account  work] ; here\n\tuser\t=  a@b.c\t; old one\nfrom = *@b.c  \n");
}

TEST_CASE("edit: what is in force already is not written again", "[account]") {
  const std::string text = "[account a]\nuser : x@y.z  ; c\nfrom = a@b.c\nfrom = d@e.f\n";
  CHECK(set(text, "account a", "user", "x@y.z") == text);
  CHECK(set(text, "account a", "from", "a@b.c d@e.f") == text);
  CHECK(edited(text, {{"account a", {{"tenant", std::nullopt}}}}) == text);
  CHECK(edited(text, {{"account b", {{"tenant", std::nullopt}}}}) == text);
}

TEST_CASE("edit: a new key stands behind the last one, comments below stay below", "[account]") {
  CHECK(set("[account a]\n  user = x@y.z\n\n# next\n[account b]\n", "account a", "tenant", "t") ==
        "[account a]\n  user = x@y.z\n  tenant = t\n\n# next\n[account b]\n");
  CHECK(set("[account a]\n# nothing yet\n[account b]\n", "account a", "tenant", "t") ==
        "[account a]\ntenant = t\n# nothing yet\n[account b]\n");
}

TEST_CASE("edit: line ends and a missing last one are kept to", "[account]") {
  CHECK(set("[account a]\r\nuser = x@y.z\r\n", "account a", "tenant", "t") ==
        "[account a]\r\nuser = x@y.z\r\ntenant = t\r\n");
  CHECK(set("[account a]\nuser = x@y.z", "account a", "tenant", "t") ==
        "[account a]\nuser = x@y.z\ntenant = t\n");
  CHECK(set("[account a]\nuser = x@y.z", "account a", "user", "n@y.z") ==
        "[account a]\nuser = n@y.z");
  CHECK(set("# only this", "account a", "tenant", "t") ==
        "# only this\n\n[account a]\ntenant = t\n");
  CHECK(set("\xEF\xBB\xBF[mailbearer]\n", "mailbearer", "default", "a") ==
        "\xEF\xBB\xBF[mailbearer]\ndefault = a\n");
  CHECK(set("\xEF\xBB\xBF", "mailbearer", "default", "a") ==
        "\xEF\xBB\xBF\n[mailbearer]\ndefault = a\n");
}

TEST_CASE("edit: a section in several parts is one section", "[account]") {
  CHECK(set("[mailbearer]\nlog = x\n[account a]\n[mailbearer]\ndefault = a\n", "mailbearer",
            "default", "b") == "[mailbearer]\nlog = x\n[account a]\n[mailbearer]\ndefault = b\n");
}

TEST_CASE("edit: a key and a section can go", "[account]") {
  const std::string text =
      "# top\n[mailbearer]\ndefault = a\n\n# of a\n[account a]\nuser = x@y.z\nfrom = 1@y.z\n"
      "from = 2@y.z\n\n# of b\n[account b]\nuser = z@y.x\n";
  CHECK(edited(text, {{"account a", {{"from", std::nullopt}}}}) ==
        "# top\n[mailbearer]\ndefault = a\n\n# of a\n[account a]\nuser = x@y.z\n\n# of b\n"
        "[account b]\nuser = z@y.x\n");
  CHECK(edited(text, {{"account a", {}, true}}) ==
        "# top\n[mailbearer]\ndefault = a\n\n# of a\n# of b\n[account b]\nuser = z@y.x\n");
}

TEST_CASE("edit: an empty value before a comment is filled without losing either", "[account]") {
  CHECK(set("[account a]\nuser = ; who\n", "account a", "user", "x@y.z") ==
        "[account a]\nuser = x@y.z  ; who\n");
  CHECK(set("[account a]\nuser =\r\n", "account a", "user", "x@y.z") ==
        "[account a]\nuser = x@y.z \r\n");
}

TEST_CASE("edit: what no line can hold is refused, and so is a file that is no INI", "[account]") {
  for (const char* value : {"a ; b", "; b", " a", "a ", "a\nb", "a\rb", "", "\x01", "\xFF"}) {
    const auto answer = edit_text("[account a]\n", {{"account a", {{"user", value}}}}, "f");
    CHECK(!answer.ok());
  }
  CHECK(!edit_text("", {{"account a]\n[mailbearer", {{"user", "x"}}}}, "f").ok());
  CHECK(!edit_text("", {{"account a", {{"us=er", "x"}}}}, "f").ok());
  CHECK(!edit_text("", {{"account a", {{"user\nfrom", "x"}}}}, "f").ok());
  CHECK(!edit_text("", {{"account " + std::string(50, 'a'), {{"user", "x"}}}}, "f").ok());
  const auto broken = edit_text("[account a]\nnonsense\n", {{"account a", {{"user", "x"}}}}, "f");
  REQUIRE(!broken.ok());
  CHECK(broken.error().cause == "f:2: neither a [section] nor `key = value`");
}

TEST_CASE("edit: any file says after any edit what was asked, and keeps its other lines",
          "[account]") {
  std::mt19937 random(20261121);
  const auto pick = [&](std::initializer_list<const char*> from) {
    return std::string(*(from.begin() + static_cast<std::ptrdiff_t>(random() % from.size())));
  };
  for (int round = 0; round < 3000; ++round) {
    const std::string end = pick({"\n", "\r\n"});
    std::string text = pick({"", "", "\xEF\xBB\xBF", "# first\n", "\n\n"});
    bool in_section = false;
    for (unsigned i = random() % 12; i > 0; --i) {
      const std::string head = pick({"[mailbearer]", " [account a] ; x", "[account  b]", "[c]"});
      const std::string entry = pick({"", "  ", "\t"}) + pick({"user", "from", "log", "tenant"}) +
                                pick({"=", " = ", ":", "\t=  "}) +
                                pick({"1", "a b", "a;b", "# c", "=x", ""}) +
                                pick({"", "  ", " ; note", "\t; = x [account a]"});
      const bool begin = !in_section || random() % 4 == 0;
      in_section = true;
      text +=
          begin ? head : pick({entry.c_str(), entry.c_str(), "", " ", "# [account a]", ";u = x"});
      text += end;
    }
    if (random() % 4 == 0 && text.size() > 2 && text.back() == '\n' && end == "\n") text.pop_back();

    const std::string section = pick({"mailbearer", "account a", "account b", "account new"});
    const std::string key = pick({"user", "from", "scope"});
    const std::string value = pick({"1", "a b", "x@y.z", "q;r", "#1"});
    const auto once = edit_text(text, {{section, {{key, value}}}}, "f");
    INFO(text);
    REQUIRE(once.ok());
    // Idempotent, and undone without a trace of the value.
    CHECK(*edit_text(*once, {{section, {{key, value}}}}, "f") == *once);
    // Each line of before that is not the key's own is there still, in its order.
    std::istringstream before(text);
    std::size_t at = 0;
    for (std::string line; std::getline(before, line);) {
      if (line.find(key) != std::string::npos) continue;
      const std::size_t found = once->find(line, at);
      REQUIRE(found != std::string::npos);
      at = found + line.size();
    }
    const auto parsed = account::parse_config_text(*once, "f");
    REQUIRE(parsed.ok());
    std::vector<std::string> values;
    for (const auto& each : *parsed) {
      if (each.name != section) continue;
      for (const auto& setting : each.entries) {
        if (setting.key == key) values.push_back(setting.value);
      }
    }
    std::string joined;
    for (const auto& each : values) joined += (joined.empty() ? "" : " ") + each;
    CHECK(joined == value);
  }
}

TEST_CASE("edit: a person's missing file is made for the person alone, the host's for all to read",
          "[account]") {
  const TestFolder folder;
  const std::string own = folder.path + "/.config/mailbearer/mailbearer.conf";
  const std::vector<SectionEdit> edits = {{"account a", {{"user", "x@y.z"}}}};
  REQUIRE(*edit_file(own, edits, Profile::person));
  CHECK(contents(own) == "[account a]\nuser = x@y.z\n");
  CHECK(mode_of(own) == 0600);
  CHECK(mode_of(folder.path + "/.config") == 0700);
  CHECK(mode_of(folder.path + "/.config/mailbearer") == 0700);
  const std::string host = folder.path + "/etc/mailbearer/mailbearer.conf";
  REQUIRE(*edit_file(host, edits, Profile::system));
  CHECK(mode_of(host) == 0644);
  CHECK(mode_of(folder.path + "/etc/mailbearer") == 0755);
}

TEST_CASE("edit: a file keeps its mode; one that says it already is not touched", "[account]") {
  const TestFolder folder;
  const std::string file = folder.write("m.conf", "[account a]\nuser = x@y.z\n", 0640);
  struct stat before {};
  REQUIRE(stat(file.c_str(), &before) == 0);
  CHECK(!*edit_file(file, {{"account a", {{"user", "x@y.z"}}}}, Profile::person));
  struct stat after {};
  REQUIRE(stat(file.c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  CHECK(*edit_file(file, {{"account a", {{"user", "n@y.z"}}}}, Profile::person));
  CHECK(mode_of(file) == 0640);
  CHECK(contents(file) == "[account a]\nuser = n@y.z\n");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 2);
}

TEST_CASE("edit: of a link the target is edited, a link to nothing is refused", "[account]") {
  const TestFolder folder;
  const std::string target = folder.write("dots/real.conf", "[account a]\nuser = x@y.z\n");
  const std::string link = folder.path + "/m.conf";
  REQUIRE(symlink(target.c_str(), link.c_str()) == 0);
  CHECK(*edit_file(link, {{"account a", {{"user", "n@y.z"}}}}, Profile::person));
  CHECK(std::filesystem::is_symlink(link));
  CHECK(contents(target) == "[account a]\nuser = n@y.z\n");
  std::filesystem::remove(target);
  const auto refused = edit_file(link, {{"account a", {{"user", "n@y.z"}}}}, Profile::person);
  REQUIRE(!refused.ok());
  CHECK(refused.error().cause == link + " is a symbolic link to nothing");
}

TEST_CASE("edit: what others may write is not edited", "[account]") {
  const TestFolder folder;
  const std::string file = folder.write("m.conf", "[account a]\n", 0666);
  const auto refused = edit_file(file, {{"account a", {{"user", "n@y.z"}}}}, Profile::person);
  REQUIRE(!refused.ok());
  CHECK(refused.error().cause == file + " may be written by others");
  CHECK(contents(file) == "[account a]\n");
}

TEST_CASE("edit: a section that is to be new is not laid over one that is there by now",
          "[account]") {
  SectionEdit edit = {"account a", {{"user", "n@y.z"}}};
  edit.fresh = true;
  CHECK(edit_text("[account b]\n", {edit}, "f").ok());
  const auto refused = edit_text("[account a]\nuser = x@y.z\n", {edit}, "f");
  REQUIRE(!refused.ok());
  CHECK(refused.error().cause == "account a was added by somebody else meanwhile");
}

TEST_CASE("edit: whether it may be done is told without making or changing anything", "[account]") {
  const TestFolder folder;
  const std::vector<SectionEdit> edits = {{"account a", {{"user", "x@y.z"}}}};
  CHECK(account::may_edit_file(folder.path + "/.config/mailbearer/m.conf", edits).ok());
  CHECK(!std::filesystem::exists(folder.path + "/.config"));
  const std::string file = folder.write("m.conf", "nonsense\n", 0600);
  CHECK(!account::may_edit_file(file, edits).ok());
  CHECK(contents(file) == "nonsense\n");
  const auto in_a_file = account::may_edit_file(file + "/mailbearer/m.conf", edits);
  REQUIRE(!in_a_file.ok());
}

TEST_CASE("edit: twenty at once lose nothing", "[account]") {
  const TestFolder folder;
  const std::string file = folder.path + "/m.conf";
  for (int i = 0; i < 20; ++i) {
    if (fork() != 0) continue;
    const std::string section = "account n" + std::to_string(i);
    const auto done = edit_file(file, {{section, {{"user", "x@y.z"}}}}, Profile::person);
    _exit(done.ok() && *done ? 0 : 1);
  }
  int status = 0;
  while (wait(&status) > 0) CHECK(status == 0);
  const auto parsed = account::read_config_file(file);
  REQUIRE(parsed.ok());
  CHECK(parsed->size() == 20);
}
