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

#include "logged_lines.hpp"
#include "support/run_task.hpp"
#include "temporary_folder.hpp"

namespace aifd::services {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using protocol::ConversationApi;

constexpr auto kLong = 60s;

std::vector<json> records_of(const std::string& text) {
  std::vector<json> records;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) records.push_back(json::parse(line));
  return records;
}

ConversationStart start_of(std::string uid, std::string body = "question") {
  ConversationStart start;
  start.api = ConversationApi::general;
  start.prefix = "openai";
  start.note.uid = std::move(uid);
  start.note.content_type = "text/plain";
  start.body = std::move(body);
  return start;
}

protocol::AnswerNote complete() {
  protocol::AnswerNote note;
  note.status = 200;
  note.ended_by = "complete";
  note.phase = "stream";
  return note;
}

void answer(Conversation& conversation, std::initializer_list<std::string_view> pieces) {
  conversation.head(200, "text/plain", "");
  for (const std::string_view piece : pieces) conversation.piece(piece);
  conversation.end(complete());
}

class ConversationLogTest : public testing::Test {
 protected:
  ConversationLogTest() { options_.folder = folder_.path() / "Log"; }

  std::string text() const { return read_bytes(path_); }
  std::vector<json> records() const { return records_of(text()); }
  void wait_for_lines(std::ptrdiff_t count) const {
    for (std::string found; std::ranges::count(found, '\n') < count; found = text()) {
      std::this_thread::yield();
    }
  }

  TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "Log" / "openai" / "general" / "general.log";
  ConversationLogOptions options_;
};

TEST_F(ConversationLogTest, HasBothRecordsOfAnExchange) {
  ConversationLog log(options_);
  answer(*log.begin(start_of("1", "what?")), {"th", "is"});
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
  const auto conversation = log.begin(start_of("1"));
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
        answer(*log.begin(std::move(start)), {});
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
    answer(*log.begin(std::move(start)), {"spoken"});
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
    const auto conversation = log.begin(start_of("1"));
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

TEST_F(ConversationLogTest, CutsAnswersThatTogetherHoldTooMuch) {
  const LoggedLines logged;
  options_.waits = true;
  options_.queue_bytes = 100'000;
  {
    ConversationLog log(options_);
    const auto first = log.begin(start_of("1"));
    const auto second = log.begin(start_of("2"));
    first->head(200, "text/plain", "");
    second->head(200, "text/plain", "");
    for (int i = 0; i < 10; ++i) {
      while (!log.has_room()) std::this_thread::yield();
      first->piece(std::string(20'000, 'x'));
      second->piece(std::string(20'000, 'x'));
    }
    first->end(complete());
    second->end(complete());
    while (!log.has_room()) std::this_thread::yield();
    answer(*log.begin(start_of("3")), {std::string(50'000, 'x')});
    EXPECT_TRUE(log.stop(kLong));
    EXPECT_EQ(log.lost(), 0U);
  }
  const std::vector<json> found = records();
  ASSERT_EQ(found.size(), 6U);
  for (const json& record : {found[2], found[3]}) {
    EXPECT_EQ(record.value("truncated", false), true);
    EXPECT_EQ(record.at("response_bytes"), 200'000);
    EXPECT_EQ(record.at("ended_by"), "complete");
  }
  EXPECT_FALSE(found[5].contains("truncated")) << "what has ended holds nothing";
  EXPECT_EQ(found[5].at("response"), std::string(50'000, 'x'));
  EXPECT_TRUE(logged.have("parts of 2 answers"));
}

TEST_F(ConversationLogTest, HasARecordOfAnExchangeThatNobodyEnded) {
  {
    ConversationLog log(options_);
    const auto conversation = log.begin(start_of("1"));
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
    answer(*log.begin(std::move(start)), {"sk-a", "bc 1234"});
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
  answer(*log.begin(std::move(start)), {"answer"});
  answer(*log.begin(start_of("2")), {"not printed"});
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
  for (int i = 0; i < 10; ++i) answer(*log.begin(start_of(std::to_string(i))), {});
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
  answer(*log.begin(start_of("1")), {});
  EXPECT_TRUE(log.stop(kLong));
}

TEST_F(ConversationLogTest, OpensItsFilesAnewWhenTold) {
  ConversationLog log(options_);
  answer(*log.begin(start_of("1")), {});
  wait_for_lines(2);
  const fs::path moved = path_.parent_path() / "moved";
  fs::rename(path_, moved);
  log.reopen();
  answer(*log.begin(start_of("2")), {});
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(records_of(read_bytes(moved)).size(), 2U);
  ASSERT_EQ(records().size(), 2U);
  EXPECT_EQ(records()[0].at("uid"), "2");
}

TEST_F(ConversationLogTest, TakesNothingOnceItIsStopped) {
  const LoggedLines logged;
  ConversationLog log(options_);
  const auto conversation = log.begin(start_of("1"));
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(log.begin(start_of("2")), nullptr);
  conversation->piece("late");
  conversation->end(complete());
  EXPECT_EQ(log.lost(), 2U);
  EXPECT_EQ(records().size(), 1U);
}

TEST_F(ConversationLogTest, OnAFullDiskCountsWhatIsLostAndGoesOn) {
  fs::create_directories(path_.parent_path());
  fs::create_symlink("/dev/full", path_);
  const LoggedLines logged;
  ConversationLog log(options_);
  for (int i = 0; i < 3; ++i) answer(*log.begin(start_of("1")), {});
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(log.lost(), 6U);
  EXPECT_EQ(logged.count(), 2) << "when it begins, and what it came to";
  EXPECT_TRUE(logged.have("the conversation log ends in trouble; lost were"));
}

TEST_F(ConversationLogTest, ThatWaitsLosesAtItsEndWhatCannotBeWritten) {
  fs::create_directories(path_.parent_path());
  fs::create_symlink("/dev/full", path_);
  options_.waits = true;
  const LoggedLines logged;
  ConversationLog log(options_);
  answer(*log.begin(start_of("1")), {});
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(log.lost(), 2U);
  EXPECT_TRUE(logged.have("the conversation log ends in trouble; lost were"));
}

TEST_F(ConversationLogTest, ThatWaitsKeepsWhatCannotBeWrittenYet) {
  write_bytes(options_.folder, "a file in the way");
  options_.waits = true;
  options_.queue_bytes = 10'000;
  const LoggedLines logged;
  asio::io_context loop;
  chain::Stopper stopper;
  ConversationLog log(options_);
  EXPECT_TRUE(log.has_room());
  answer(*log.begin(start_of("1", std::string(10'000, 'x'))), {"one"});
  EXPECT_FALSE(log.has_room());
  answer(*log.begin(start_of("2")), {"two"});
  test::Running<Result<void>> waiting(loop, log.wait_for_room(stopper));
  loop.poll();
  EXPECT_FALSE(waiting.finished());
  fs::remove(options_.folder);
  log.reopen();
  loop.run();
  EXPECT_TRUE(waiting.take());
  EXPECT_TRUE(log.has_room());
  EXPECT_TRUE(log.stop(kLong));
  EXPECT_EQ(log.lost(), 0U);
  ASSERT_EQ(records().size(), 4U);
  EXPECT_EQ(records()[1].at("response"), "one");
  EXPECT_EQ(records()[3].at("response"), "two");
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
        const auto conversation = log.begin(start_of(uid));
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

// A log whose disk hangs: a pipe that nobody reads.
class StuckConversationLog : public ConversationLogTest {
 protected:
  void SetUp() override {
    before_ = std::signal(SIGPIPE, SIG_IGN);  // as the daemon does
    fs::create_directories(path_.parent_path());
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    options_.queue_bytes = 1;
  }
  void TearDown() override {
    std::signal(SIGPIPE, before_);
    if (reader_.joinable()) reader_.join();
  }

  // From now on the disk works; what was written is in read_ once the log is gone.
  void free() {
    reader_ = std::thread([this] {
      const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
      std::array<char, 65536> buffer{};
      for (;;) {
        const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
        if (count <= 0) break;
        read_.append(buffer.data(), static_cast<std::size_t>(count));
      }
      ::close(descriptor);
    });
  }
  std::vector<json> read_records() {
    reader_.join();
    return records_of(read_);
  }

  std::thread reader_;
  std::string read_;
  const LoggedLines logged_;

 private:
  void (*before_)(int) = SIG_DFL;
};

TEST_F(StuckConversationLog, DropsWhatFindsNoRoomAndCountsIt) {
  {
    ConversationLog log(options_);
    EXPECT_TRUE(log.has_room());
    const auto conversation = log.begin(start_of("1"));
    ASSERT_NE(conversation, nullptr);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(log.begin(start_of("2")), nullptr);
    EXPECT_EQ(log.lost(), 5U);
    EXPECT_TRUE(log.has_room()) << "who is not to wait need not ask";
    EXPECT_EQ(logged_.count(), 1);
    conversation->head(200, "text/plain", "");
    conversation->piece(std::string(20'000, 'x'));
    conversation->piece("after what is lost nothing makes sense");
    conversation->end(complete());
    EXPECT_FALSE(log.stop(0ms));
    free();
    EXPECT_TRUE(log.stop(kLong));
    EXPECT_EQ(log.lost(), 5U);
    EXPECT_EQ(logged_.count(), 2);
  }
  const std::vector<json> found = read_records();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at("uid"), "1");
  EXPECT_EQ(found[1].at("uid"), "1");
  EXPECT_EQ(found[1].at("status"), 200) << "the head is not lost";
  EXPECT_EQ(found[1].at("truncated"), true);
}

TEST_F(StuckConversationLog, LosesTheLastPieceOfAnAnswerButNotItsEnd) {
  {
    ConversationLog log(options_);
    const auto conversation = log.begin(start_of("1"));
    answer(*conversation, {"lost"});
    free();
  }
  const std::vector<json> found = read_records();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].at("truncated"), true);
  EXPECT_EQ(found[1].at("ended_by"), "complete");
}

TEST_F(StuckConversationLog, ThatWaitsHoldsNewExchangesAndDropsNothing) {
  options_.waits = true;
  options_.queue_bytes = 60'000;
  asio::io_context loop;
  chain::Stopper stopper;
  {
    ConversationLog log(options_);
    EXPECT_TRUE(test::run_task(log.wait_for_room(stopper)));
    const auto conversation = log.begin(start_of("1", std::string(60'000, 'x')));
    EXPECT_FALSE(log.has_room());
    test::Running<Result<void>> first(loop, log.wait_for_room(stopper));
    test::Running<Result<void>> second(loop, log.wait_for_room(stopper));
    loop.poll();
    EXPECT_FALSE(first.finished());
    answer(*conversation, {std::string(20'000, 'x'), "all"});
    free();
    loop.run();
    EXPECT_TRUE(first.take());
    EXPECT_TRUE(second.take());
    EXPECT_TRUE(log.has_room());
    EXPECT_EQ(log.lost(), 0U);
  }
  const std::vector<json> found = read_records();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].at("response"), std::string(20'000, 'x') + "all");
  EXPECT_FALSE(found[1].contains("truncated"));
}

TEST_F(StuckConversationLog, ThatWaitsCutsAnswersThatOutgrowItsRoomByFar) {
  options_.waits = true;
  options_.queue_bytes = 100'000;
  {
    ConversationLog log(options_);
    const auto conversation = log.begin(start_of("1"));
    conversation->head(200, "text/plain", "");
    for (int i = 0; i < 100; ++i) conversation->piece(std::string(20'000, 'x'));
    conversation->end(complete());
    answer(*log.begin(start_of("2")), {});
    EXPECT_EQ(log.lost(), 0U);
    free();
  }
  const std::vector<json> found = read_records();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[1].at("truncated"), true);
  EXPECT_LT(found[1].at("response").get<std::string>().size(), 250'000U);
  EXPECT_EQ(found[1].at("ended_by"), "complete");
}

TEST_F(StuckConversationLog, LetsGoWhoeverIsToldToStopWaiting) {
  options_.waits = true;
  asio::io_context loop;
  chain::Stopper stopper;
  ConversationLog log(options_);
  const auto conversation = log.begin(start_of("1"));
  test::Running<Result<void>> waiting(loop, log.wait_for_room(stopper));
  loop.poll();
  stopper.stop({ErrorKind::client_gone, ErrorSource::client, false, ""});
  loop.poll();
  const Result<void> result = waiting.take();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::client_gone);
  free();
}

TEST_F(StuckConversationLog, RefusesWhoeverWaitsOnceTheDaemonDrains) {
  options_.waits = true;
  asio::io_context loop;
  chain::Stopper stopper;
  ConversationLog log(options_);
  const auto conversation = log.begin(start_of("1"));
  test::Running<Result<void>> waiting(loop, log.wait_for_room(stopper));
  loop.poll();
  EXPECT_FALSE(waiting.finished());
  log.drain();
  loop.run();
  const Result<void> before = waiting.take();
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().kind, ErrorKind::draining);
  const Result<void> after = test::run_task(log.wait_for_room(stopper));
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().kind, ErrorKind::draining);
  free();
}

TEST_F(StuckConversationLog, LetsGoWhoeverWaitsWhenItIsStopped) {
  options_.waits = true;
  asio::io_context loop;
  chain::Stopper stopper;
  ConversationLog log(options_);
  const auto conversation = log.begin(start_of("1"));
  test::Running<Result<void>> waiting(loop, log.wait_for_room(stopper));
  loop.poll();
  EXPECT_FALSE(log.stop(0ms));
  loop.run();
  EXPECT_TRUE(waiting.take());
  free();
}

TEST_F(StuckConversationLog, MayBeWaitedForByALoopThatEnds) {
  options_.waits = true;
  chain::Stopper stopper;
  ConversationLog log(options_);
  const auto conversation = log.begin(start_of("1"));
  {
    asio::io_context loop;
    test::Running<Result<void>> waiting(loop, log.wait_for_room(stopper));
    loop.poll();
    EXPECT_FALSE(waiting.finished());
  }
  free();
}

}  // namespace
}  // namespace aifd::services
