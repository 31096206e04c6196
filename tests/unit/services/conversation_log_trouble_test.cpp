// What becomes of a conversation log whose disk takes too little, or nothing.
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

TEST_F(ConversationLogTest, CutsAnswersThatTogetherHoldTooMuch) {
  const LoggedLines logged;
  options_.waits = true;
  options_.queue_bytes = 100'000;
  {
    ConversationLog log(options_);
    const auto first = begin(log, start_of("1"));
    const auto second = begin(log, start_of("2"));
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
    answer(*begin(log, start_of("3")), {std::string(50'000, 'x')});
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

TEST_F(ConversationLogTest, OnAFullDiskCountsWhatIsLostAndGoesOn) {
  fs::create_directories(path_.parent_path());
  fs::create_symlink("/dev/full", path_);
  const LoggedLines logged;
  ConversationLog log(options_);
  for (int i = 0; i < 3; ++i) answer(*begin(log, start_of("1")), {});
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
  answer(*begin(log, start_of("1")), {});
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
  answer(*begin(log, start_of("1", std::string(10'000, 'x'))), {"one"});
  EXPECT_FALSE(log.has_room());
  answer(*begin(log, start_of("2")), {"two"});
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
    const auto conversation = begin(log, start_of("1"));
    ASSERT_NE(conversation, nullptr);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(begin(log, start_of("2")), nullptr);
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
    const auto conversation = begin(log, start_of("1"));
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
    const auto conversation = begin(log, start_of("1", std::string(60'000, 'x')));
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
    const auto conversation = begin(log, start_of("1"));
    conversation->head(200, "text/plain", "");
    for (int i = 0; i < 100; ++i) conversation->piece(std::string(20'000, 'x'));
    conversation->end(complete());
    answer(*begin(log, start_of("2")), {});
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
  const auto conversation = begin(log, start_of("1"));
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
  const auto conversation = begin(log, start_of("1"));
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
  const auto conversation = begin(log, start_of("1"));
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
  const auto conversation = begin(log, start_of("1"));
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
