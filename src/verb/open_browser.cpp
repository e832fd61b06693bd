#include "verb/open_browser.h"

#include <unistd.h>

#include "base/text.h"
#include "verb/run_program.h"

namespace verb {

std::vector<std::vector<std::string>> browser_commands(const std::string& browser,
                                                       const std::string& url) {
  std::vector<std::vector<std::string>> out;
  for (const std::string_view command : base::split(browser, ':')) {
    std::vector<std::string> words = base::words(command);
    if (words.empty()) continue;
    bool placed = false;
    for (std::string& word : words) {
      const std::size_t at = word.find("%s");
      if (at == std::string::npos) continue;
      word.replace(at, 2, url);
      placed = true;
    }
    if (!placed) words.push_back(url);
    out.push_back(std::move(words));
  }
  if (out.empty()) out.push_back({"xdg-open", url});
  return out;
}

bool may_start_browser(const cli::Desk& desk) {
  return geteuid() != 0 || !desk.browser.empty();
}

base::Done open_browser(const cli::Desk& desk, const std::string& url) {
  if (!may_start_browser(desk)) {
    return base::failure(base::Fault::unavailable, "no browser is started as root",
                         "open the address yourself, or name a browser: BROWSER=...");
  }
  for (std::vector<std::string>& argv : browser_commands(desk.browser, url)) {
    argv.front() = find_program(argv.front(), desk.path);
    if (argv.front().empty()) continue;
    if (start_detached(argv, cli::whole_environment()).ok()) return base::done();
  }
  return base::failure(base::Fault::unavailable, "no browser can be started",
                       "open the address yourself, or name a browser: BROWSER=...");
}

}  // namespace verb
