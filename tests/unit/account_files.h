// A folder of one test, private, removed with all that is in it; and configurations made in it.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "account/configuration.h"
#include "catch.h"

struct TestFolder {
  std::string path;

  TestFolder() {
    char name[] = "/tmp/mailbearer-account-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
    std::ifstream source("etc/providers.conf");
    std::stringstream text;
    text << source.rdbuf();
    REQUIRE(!text.str().empty());
    write("providers.conf", text.str());
  }
  ~TestFolder() { std::filesystem::remove_all(path); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const std::string file = path + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << text;
    chmod(file.c_str(), mode);
    return file;
  }

  account::ConfigurationPaths paths(account::Profile profile = account::Profile::person) const {
    return {path + "/mailbearer.conf", path + "/providers.conf", profile, path + "/keyring"};
  }

  base::Result<account::Configuration> load(
      const std::string& text, account::Profile profile = account::Profile::person) const {
    write("mailbearer.conf", text);
    return account::load_configuration(paths(profile));
  }

  account::Configuration loaded(const std::string& text,
                                account::Profile profile = account::Profile::person) const {
    base::Result<account::Configuration> answer = load(text, profile);
    if (!answer) FAIL(answer.error().cause << "; " << answer.error().cure);
    return std::move(*answer);
  }
};
