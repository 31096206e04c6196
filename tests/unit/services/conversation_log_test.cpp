#include "aifd/services/conversation_log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "conversation_samples.hpp"
#include "logged_lines.hpp"
#include "support/run_task.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;

TEST_F(ConversationLogTest, HasBothRecordsOfAnExchange) {
  ConversationLog log(options_);
  answer(*begin(log, start_of("1", "what?")), {"th", "is"});
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(log.lost(), 0U);
  const std::vector<json> found = records();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at("payload"), "what?");
  EXPECT_EQ(found[0].at("payload_bytes"), 5);
  EXPECT_EQ(found[0].at("uid"), "1");
  EXPECT_EQ(found[0].at("datetime").get<std::string>().size(), 19U);
  EXPECT_EQ(found[1].at("response"), "this");
  EXPECT_EQ(found[1].at("uid"), "1");
  EXPECT_EQ(found[1].at("status"), 200);
  EXPECT_EQ(found[1].at("ended_by"), "complete");
  EXPECT_EQ(found[1].at("datetime").get<std::string>().size(), 19U);
  EXPECT_FALSE(found[1].contains("truncated"));
}

TEST_F(ConversationLogTest, WritesByItself) {
  ConversationLog log(options_);
  const auto conversation = begin(log, start_of("1"));
  wait_for_lines(1);
  answer(*conversation, {"answer"});
  wait_for_lines(2);
  EXPECT_EQ(records().size(), 2U);
}

TEST_F(ConversationLogTest, HasAFileForEachPrefixAndKind) {
  {
    ConversationLog log(options_);
    for (const char* prefix : {"openai", "a_b"}) {
      for (const ConversationApi api : {ConversationApi::general, ConversationApi::chat}) {
        ConversationStart start = start_of("1");
        start.api = api;
        start.prefix = prefix;
        answer(*begin(log, std::move(start)), {});
      }
    }
  }
  for (const char* name : {"openai/general/general.log", "openai/chat/chat.log",
                           "a_b/general/general.log", "a_b/chat/chat.log"}) {
    EXPECT_EQ(records_of(read_bytes(options_.folder / name)).size(), 2U) << name;
  }
}

TEST_F(ConversationLogTest, TakesTheTextsOfAForm) {
  {
    ConversationLog log(options_);
    ConversationStart start = start_of("1", R"({"file":"a.mp3","model":"whisper-1"})");
    start.api = ConversationApi::whisper;
    answer(*begin(log, std::move(start)), {"spoken"});
  }
  const std::vector<json> found =
      records_of(read_bytes(options_.folder / "openai/whisper/whisper.log"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at("model"), "whisper-1");
  EXPECT_EQ(found[0].at("file"), "a.mp3");
  EXPECT_EQ(found[1].at("text"), "spoken");
}

TEST_F(ConversationLogTest, TakesLongAnswersPieceByPiece) {
  std::string whole;
  {
    ConversationLog log(options_);
    const auto conversation = begin(log, start_of("1"));
    conversation->head(200, "text/plain", "");
    for (int i = 0; i < 20'000; ++i) {
      const std::string piece = std::to_string(i) + " ";
      conversation->piece(piece);
      whole += piece;
    }
    conversation->end(complete());
  }
  ASSERT_EQ(records().size(), 2U);
  EXPECT_EQ(records()[1].at("response"), whole);
}

TEST_F(ConversationLogTest, HasARecordOfAnExchangeThatNobodyEnded) {
  {
    ConversationLog log(options_);
    const auto conversation = begin(log, start_of("1"));
    conversation->head(200, "text/plain", "");
    conversation->piece("beg");
  }
  ASSERT_EQ(records().size(), 2U);
  EXPECT_EQ(records()[1].at("response"), "beg");
  EXPECT_EQ(records()[1].at("ended_by"), "aifd");
  EXPECT_EQ(records()[1].at("uid"), "1");
}

TEST_F(ConversationLogTest, MasksSecretsAndPatternsInBothRecords) {
  options_.redact = {"[0-9]{4}"};
  {
    ConversationLog log(options_);
    ConversationStart start = start_of("12345", "sk-abc 1234");
    start.secrets.emplace_back("sk-abc");
    answer(*begin(log, std::move(start)), {"sk-a", "bc 1234"});
  }
  ASSERT_EQ(records().size(), 2U);
  EXPECT_EQ(records()[0].at("payload"), "*** ***");
  EXPECT_EQ(records()[1].at("response"), "*** ***");
  EXPECT_EQ(records()[1].at("uid"), "12345");
}

TEST_F(ConversationLogTest, GivesRecordsToBePrintedAndNeedNotWriteThem) {
  std::vector<std::string> printed;
  options_.on_record = [&](std::string_view record, ConversationApi api) {
    EXPECT_EQ(api, ConversationApi::general);
    printed.emplace_back(record);
  };
  ConversationLog log(options_);
  ConversationStart start = start_of("1", "sk-abc");
  start.secrets.emplace_back("sk-abc");
  start.writes = false;
  start.prints = true;
  answer(*begin(log, std::move(start)), {"answer"});
  answer(*begin(log, start_of("2")), {"not printed"});
  EXPECT_TRUE(log.stop(kLong));
  ASSERT_EQ(printed.size(), 2U);
  EXPECT_EQ(json::parse(printed[0]).at("payload"), "***");
  EXPECT_EQ(json::parse(printed[1]).at("response"), "answer");
  ASSERT_EQ(records().size(), 2U);
  EXPECT_EQ(records()[0].at("uid"), "2");
}

TEST_F(ConversationLogTest, RotatesAndKeepsWhatItIsTold) {
  options_.rotate_bytes = 1;
  options_.keep = 2;
  ConversationLog log(options_);
  for (int i = 0; i < 10; ++i) answer(*begin(log, start_of(std::to_string(i))), {});
  const auto is_last = [this] { return text().find(R"("uid":"9")") != std::string::npos; };
  while (!is_last() || count_named(path_.parent_path(), "general") != 3) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(log.lost(), 0U);
}

TEST_F(ConversationLogTest, IsNotHeldUpByAPipeThatIsCalledAsRotatedFilesAre) {
  options_.compress = true;
  fs::create_directories(path_.parent_path());
  const fs::path pipe = path_.parent_path() / "general.2026-01-01_00-00-00_000000.log";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  ConversationLog log(options_);
  answer(*begin(log, start_of("1")), {});
  EXPECT_TRUE(log.stop(kLong));
}

TEST_F(ConversationLogTest, OpensItsFilesAnewWhenTold) {
  ConversationLog log(options_);
  answer(*begin(log, start_of("1")), {});
  wait_for_lines(2);
  const fs::path moved = path_.parent_path() / "moved";
  fs::rename(path_, moved);
  log.reopen();
  answer(*begin(log, start_of("2")), {});
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(records_of(read_bytes(moved)).size(), 2U);
  ASSERT_EQ(records().size(), 2U);
  EXPECT_EQ(records()[0].at("uid"), "2");
}

TEST_F(ConversationLogTest, TakesNothingOnceItIsStopped) {
  const LoggedLines logged;
  ConversationLog log(options_);
  const auto conversation = begin(log, start_of("1"));
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(begin(log, start_of("2")), nullptr);
  conversation->piece("late");
  conversation->end(complete());
  EXPECT_EQ(log.lost(), 2U);
  EXPECT_EQ(records().size(), 1U);
}

TEST_F(ConversationLogTest, HasWholeLinesOfManyThreadsInOrder) {
  constexpr int kThreads = 4;
  constexpr int kEach = 300;
  options_.rotate_bytes = 200'000;
  ConversationLog log(options_);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&log, thread] {
      for (int i = 0; i < kEach; ++i) {
        const std::string uid = std::to_string(thread) + "-" + std::to_string(i);
        const auto conversation = begin(log, start_of(uid));
        const std::string piece(static_cast<std::size_t>(i) * 100, 'x');
        answer(*conversation, {piece, uid});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(log.lost(), 0U);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path_.parent_path())) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);  // "general.log" comes last
  std::string all;
  for (const fs::path& file : files) all += read_bytes(file);
  std::map<std::string, int> next;
  for (const json& record : records_of(all)) {
    const std::string uid = record.at("uid");
    const std::string thread = uid.substr(0, uid.find('-'));
    const int number = next[thread]++;
    EXPECT_EQ(uid, thread + "-" + std::to_string(number / 2));
    EXPECT_EQ(record.contains("response"), number % 2 == 1) << uid;
    if (number % 2 == 0) continue;
    EXPECT_TRUE(record.at("response").get<std::string>().ends_with(uid));
  }
  EXPECT_EQ(next.size(), std::size_t{kThreads});
  for (const auto& [thread, count] : next) EXPECT_EQ(count, 2 * kEach) << thread;
}

}  // namespace
}  // namespace aifd::services
