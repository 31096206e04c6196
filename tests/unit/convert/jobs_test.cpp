#include "jobs.hpp"

#include <gtest/gtest.h>

#include "logs.hpp"

namespace aifd::convert {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;
using Jobs = std::variant<std::vector<Job>, Failure>;

class ConvertJobs : public InFolder {
 protected:
  // "folder -> target" of each, below the test's folder; or how it ends.
  Strings shown(const Jobs& jobs) const {
    if (const auto* failure = std::get_if<Failure>(&jobs)) {
      EXPECT_NE(failure->why, "");
      return {failure->ending == Ending::usage ? "usage" : "failed"};
    }
    Strings texts;
    for (const Job& job : std::get<std::vector<Job>>(jobs)) {
      texts.push_back(fs::relative(job.folder, folder()).string() + " -> " +
                      fs::relative(job.target, folder()).string());
    }
    return texts;
  }

  Strings of_folder(const std::string& name, const std::string& target = "",
                    const std::string& format = "json") const {
    return shown(jobs_of_folder({(folder() / name).string(), target, format}));
  }

  Strings of_routes(const Strings& prefixes, const std::string& target = "",
                    const std::string& format = "json") const {
    config::Settings settings;
    settings.logs.folder = folder() / "Log";
    settings.routes.push_back({{}, "/general", config::RouteType::general});
    for (const std::string& prefix : prefixes) {
      settings.routes.push_back({{}, prefix, config::RouteType::openai});
    }
    return shown(jobs_of_routes(settings, {"", target, format}));
  }
};

TEST_F(ConvertJobs, OfRoutesAreBesideTheirFolders) {
  EXPECT_EQ(of_routes({"/", "/a/b", "/a_b"}), (Strings{"Log/a_b/chat -> Log/chat_a_b.json",
                                                       "Log/openai/chat -> Log/chat_openai.json"}));
  EXPECT_EQ(of_routes({"/"}, "", "jsonl"), Strings{"Log/openai/chat -> Log/chat_openai.jsonl"});
  EXPECT_EQ(of_routes({"/"}, "", "openai"), Strings{"Log/openai/chat -> Log/chat_openai.jsonl"});
  EXPECT_EQ(of_routes({}), Strings{"failed"});
}

TEST_F(ConvertJobs, MayBeGivenForOneLogOnly) {
  const std::string target = folder() / "t";
  EXPECT_EQ(of_routes({"/"}, target), Strings{"Log/openai/chat -> t"});
  EXPECT_EQ(of_routes({"/", "/b"}, target), Strings{"usage"});
  write("Log/openai/chat/chat.log", "");
  EXPECT_EQ(of_folder("Log", target), Strings{"Log/openai/chat -> t"});
  write("Log/b/chat/chat.log", "");
  EXPECT_EQ(of_folder("Log", target), Strings{"usage"});
  EXPECT_EQ(of_folder("Log/b/chat", target), Strings{"Log/b/chat -> t"});
}

TEST_F(ConvertJobs, OfFolders) {
  write("Log/openai/chat/chat.log", "");
  write("Log/b/chat/chat.log.zst", "");
  write("Log/c/embedding/embedding.log", "");
  write("old/logs/chat.log", "");
  EXPECT_EQ(of_folder("Log"),
            (Strings{"Log/b/chat -> Log/chat_b.json", "Log/openai/chat -> Log/chat_openai.json"}));
  EXPECT_EQ(of_folder("Log/b"), Strings{"Log/b/chat -> Log/chat_b.json"});
  EXPECT_EQ(of_folder("Log/b/chat/"), Strings{"Log/b/chat -> Log/chat_b.json"});
  EXPECT_EQ(of_folder("Log/../Log/./b/chat"), Strings{"Log/b/chat -> Log/chat_b.json"});
  EXPECT_EQ(of_folder("old/logs"), Strings{"old/logs -> old/chat_logs.json"});
  EXPECT_EQ(of_folder("Log/c"), Strings{"failed"});
  EXPECT_EQ(of_folder("nowhere"), Strings{"usage"});
  EXPECT_EQ(of_folder("old/logs/chat.log"), Strings{"usage"});
}

}  // namespace
}  // namespace aifd::convert
