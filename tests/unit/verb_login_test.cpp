#include "verb/login_plan.h"

#include "account_files.h"
#include "verb/admin_request.h"
#include "verb/families.h"
#include "verb/open_browser.h"
#include "verb/run_program.h"
#include "verb/sign_in.h"
#include "verb/test_message.h"

namespace {

account::Account account_of(const std::string& section) {
  const TestFolder folder;
  return folder.loaded("[account a]\n" + section).accounts.front();
}

bool holds(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("login: a new account is named after its domain, and never like another", "[verb]") {
  account::Configuration configuration;
  CHECK(verb::name_for("me@contoso.com", configuration) == "contoso");
  CHECK(verb::name_for("me@\xC3\xBC.example", configuration) == "account");
  const auto taken = [&](const char* name) { configuration.accounts.emplace_back().name = name; };
  taken("contoso");
  CHECK(verb::name_for("me.too@contoso.com", configuration) == "metoo-contoso");
  taken("metoo-contoso");
  CHECK(verb::name_for("me.too@contoso.com", configuration) == "contoso2");
  CHECK(verb::name_for("x@" + std::string(63, 'a') + ".example", configuration).size() <= 40);
  CHECK(verb::name_for("x@--contoso.example", configuration) == "x-contoso");
}

TEST_CASE("login: whose sign-in it is follows from the provider and its base", "[verb]") {
  using verb::Family;
  CHECK(verb::family_of(account_of("provider = microsoft\nuser = a@b.example\n")) ==
        Family::microsoft);
  CHECK(verb::family_of(account_of("provider = microsoft-personal\nuser = a@b.example\n")) ==
        Family::microsoft);
  CHECK(verb::family_of(account_of("provider = gmail\nuser = a@b.example\n")) == Family::google);
  CHECK(verb::family_of(account_of("provider = fastmail\nuser = a@b.example\n")) == Family::other);
}

TEST_CASE("login: the administrator's text scopes the role first and names the older way second",
          "[verb]") {
  const std::string text = verb::admin_request(
      account_of("provider = microsoft\nuser = no@contoso.com\ngrant = app\nclient_id = id-1\n"
                 "tenant = contoso.com\n"));
  CHECK(holds(text, "New-ServicePrincipal -AppId id-1 -ObjectId $app.Id"));
  CHECK(holds(text, "-RecipientRestrictionFilter \"PrimarySmtpAddress -eq 'no@contoso.com'\""));
  CHECK(holds(text, "https://login.microsoftonline.com/contoso.com/adminconsent?client_id=id-1"));
  CHECK(text.find("Application SMTP.SendAsApp") < text.find("Add-MailboxPermission"));
  const std::string graph = verb::admin_request(
      account_of("provider = microsoft\nuser = no@contoso.com\ngrant = app\nclient_id = id-1\n"
                 "tenant = contoso.com\ntransport = graph\n"));
  CHECK(holds(graph, "-Role \"Application Mail.Send\""));
  CHECK(!holds(graph, "Set-CASMailbox"));
  const std::string person = verb::admin_request(
      account_of("provider = microsoft\nuser = me@contoso.com\ncloud = usgov\nclient_id = id-1\n"));
  CHECK(holds(person, "https://login.microsoftonline.us/contoso.com/adminconsent"));
  CHECK(!holds(person, "New-ServicePrincipal"));
}

TEST_CASE("login: how to register an application says the command and the portal's steps",
          "[verb]") {
  const std::string person =
      verb::how_to_register(account_of("provider = microsoft\nuser = me@contoso.com\n"));
  CHECK(
      holds(person, "az ad app create --display-name Mailbearer --sign-in-audience AzureADMyOrg"));
  CHECK(holds(person, "258f6531-6087-4cc4-bb90-092c5fb3ed3f"));
  CHECK(holds(person, "https://entra.microsoft.com"));
  const std::string personal =
      verb::how_to_register(account_of("provider = outlook\nuser = me@outlook.com\n"));
  CHECK(holds(personal, "PersonalMicrosoftAccount"));
  const std::string google =
      verb::how_to_register(account_of("provider = google\nuser = me@gmail.com\n"));
  CHECK(holds(google, "7 days"));
  CHECK(holds(google, "--app-password"));
}

TEST_CASE("login: over ssh, without a display and as root the address is pasted", "[verb]") {
  using Way = verb::LoginPlan::Way;
  CHECK(verb::usual_way({"", false, true, ""}, false) == Way::browser);
  CHECK(verb::usual_way({"", true, true, ""}, false) == Way::paste);
  CHECK(verb::usual_way({"", false, false, ""}, false) == Way::paste);
  CHECK(verb::usual_way({"", false, true, ""}, true) == Way::paste);
  CHECK(verb::usual_way({"firefox", false, true, ""}, true) == Way::browser);
}

TEST_CASE("login: $BROWSER is a list of commands, and no shell reads them", "[verb]") {
  using Commands = std::vector<std::vector<std::string>>;
  CHECK(verb::browser_commands("", "u") == Commands{{"xdg-open", "u"}});
  CHECK(verb::browser_commands("w3m -x:lynx %s -y", "u;v") ==
        Commands{{"w3m", "-x", "u;v"}, {"lynx", "u;v", "-y"}});
  CHECK(verb::browser_commands(":", "u") == Commands{{"xdg-open", "u"}});
}

TEST_CASE("login: the id of a test message is the provider's, from what sendmail -v tells",
          "[verb]") {
  CHECK(verb::accepted_id("250 2.1.0 Sender OK\n>>> (message)\n250 2.0.0 OK <a@b> [H=x]\n") ==
        "a@b");
  CHECK(verb::accepted_id("> POST x\n< 202  request-id 09ef-58\n") == "09ef-58");
  CHECK(verb::accepted_id("250 SMTPUTF8\n250 2.0.0 OK queued\n").empty());
  CHECK(verb::accepted_id("250 OK <\x1b[2J@x>\n") == "\\x1b[2J@x");
}

TEST_CASE("login: a test message that only a queue has is not taken for delivered", "[verb]") {
  CHECK(verb::has_left("DATA\n354 go\n(message, 310 octets)\n250 ok\n"));
  CHECK(verb::has_left("MAIL FROM:<a@b>\nRCPT TO:<a@b>\nBDAT 310 LAST (message)\n250 ok\n"));
  CHECK(verb::has_left("> POST x (message, 310 octets)\n< 202  request-id 09ef-58\n"));
  CHECK_FALSE(verb::has_left("250 2.0.0 queued as 1 BDAT 310 LAST (message) x=0\n"));
  CHECK_FALSE(verb::has_left(""));
}

TEST_CASE("run_program: input, both outputs, the exit code, and an end that comes in time",
          "[verb]") {
  const auto deadline = base::Deadline::after_ms(10'000);
  const auto echo = verb::run_program({"/bin/sh", "-c", "cat; echo oops >&2; exit 3"}, {"A=b"},
                                      std::string(300'000, 'x'), deadline);
  REQUIRE(echo.ok());
  CHECK(echo->code == 3);
  CHECK(echo->out.size() == 256UL * 1024);
  CHECK(echo->err == "oops\n");
  const auto slow = verb::run_program({"/bin/sleep", "20"}, {}, {}, base::Deadline::after_ms(100));
  REQUIRE(slow.ok());
  CHECK(slow->code == 137);
  CHECK(!verb::run_program({"/nonexistent"}, {}, {}, deadline).ok());
  CHECK(verb::find_program("sh", "relative:/bin") == "/bin/sh");
  CHECK(verb::find_program("sh", "bin").empty());
}
