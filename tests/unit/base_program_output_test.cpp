#include "base/program_output.h"

#include <sys/stat.h>
#include <unistd.h>

#include "catch.h"

using base::Fault;

namespace {

base::Result<base::Secret> output(const std::vector<std::string>& argv, std::int64_t ms = 5000,
                                  std::size_t limit = 1000) {
  return base::program_output("the_command", argv, {"ONLY=this"}, limit,
                              base::Deadline::after_ms(ms));
}

std::string cause(const base::Result<base::Secret>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().cause;
}

}  // namespace

TEST_CASE("program output: what it prints, in the environment it is given and no other", "[base]") {
  const auto printed = output({"/bin/sh", "-c", "printf 'a b\\n'; env | grep -c . ; echo $ONLY"});
  REQUIRE(printed.ok());
  // dash adds PWD by itself.
  CHECK(printed->reveal() == "a b\n2\nthis\n");
  CHECK(output({"/bin/cat"})->reveal().empty());  // standard input is empty
}

TEST_CASE("program output: no word goes through a shell", "[base]") {
  CHECK(output({"/bin/echo", "$(id)", ";", "*"})->reveal() == "$(id) ; *\n");
}

TEST_CASE("program output: what goes wrong is told apart", "[base]") {
  const auto missing = output({"/nonexistent/program"});
  CHECK(missing.error().fault == Fault::config);
  CHECK(cause(missing).find("cannot run /nonexistent/program of the_command") == 0);
  const auto failed = output({"/bin/sh", "-c", "echo secret; exit 3"});
  CHECK(failed.error().fault == Fault::unavailable);
  CHECK(cause(failed) == "the_command failed (exit code 3)");
  CHECK(cause(output({"/bin/sh", "-c", "kill -9 $$"})) == "the_command was ended by signal 9");
  CHECK(cause(output({"/bin/sh", "-c", "yes"})) == "the_command prints more than a secret");
}

TEST_CASE("program output: one that hangs is ended with what it started, in time", "[base]") {
  const std::int64_t before = base::boot_ms();
  CHECK(cause(output({"/bin/sh", "-c", "sleep 77777 & sleep 77777"}, 200)) ==
        "the_command did not end in time");
  CHECK(cause(output({"/bin/sh", "-c", "exec >&-; sleep 77777"}, 200)) ==
        "the_command did not end in time");
  CHECK(base::boot_ms() - before < 5000);
}
