#include "exchange_pairs.hpp"

#include <gtest/gtest.h>

#include <random>

#include "logs.hpp"

namespace aifd::convert {
namespace {

using protocol::ChatRecord;
using Texts = std::vector<std::string>;

class ExchangePairsTest : public InFolder {
 protected:
  explicit ExchangePairsTest(ExchangePairs::Bounds bounds = {}, std::uint64_t store_bytes = 1 << 20)
      : store_(folder(), store_bytes),
        pairs_(
            bounds, store_,
            [](const ChatRecord& asked, const ChatRecord& said) {
              return said.json == "nothing" ? "" : asked.json + "-" + said.json;
            },
            [this](std::string_view text) { written_.emplace_back(text); }) {}

  void ask(const std::string& uid, const std::string& text) {
    pairs_.add({ChatRecord::Kind::request, uid, {}, text}, {0, ++line_});
  }
  void answer(const std::string& uid, const std::string& text) {
    pairs_.add({ChatRecord::Kind::answer, uid, {}, text}, {0, ++line_});
  }

  static Texts uids_of(const LoneRecords& records) {
    Texts uids;
    for (const LoneRecord& record : records.first) {
      uids.push_back(record.uid + ":" + std::to_string(record.place.line));
    }
    return uids;
  }

  Texts written_;
  RecordStore store_;
  ExchangePairs pairs_;
  std::uint64_t line_ = 0;
};

TEST_F(ExchangePairsTest, AreInTheOrderOfTheirRequests) {
  ask("a", "1");
  ask("b", "2");
  ask("c", "3");
  answer("c", "z");
  EXPECT_EQ(written_, Texts{});
  answer("a", "x");
  EXPECT_EQ(written_, Texts{"1-x"});
  answer("b", "y");
  EXPECT_EQ(written_, (Texts{"1-x", "2-y", "3-z"}));
  pairs_.finish();
  EXPECT_EQ(written_.size(), 3U);
  EXPECT_EQ(pairs_.out_of_order() + pairs_.lone_requests().count + pairs_.lone_answers().count, 0U);
}

TEST_F(ExchangePairsTest, WithOneUidAreFirstComeFirstPaired) {
  ask("a", "1");
  ask("a", "2");
  answer("a", "x");
  answer("a", "y");
  answer("a", "z");
  pairs_.finish();
  EXPECT_EQ(written_, (Texts{"1-x", "2-y"}));
  EXPECT_EQ(uids_of(pairs_.lone_answers()), Texts{"a:5"});
}

TEST_F(ExchangePairsTest, MayHaveTheAnswerFirst) {
  answer("b", "y");
  answer("b", "z");
  ask("a", "1");
  ask("b", "2");
  ask("b", "3");
  ask("b", "4");
  answer("a", "x");
  pairs_.finish();
  EXPECT_EQ(written_, (Texts{"1-x", "2-y", "3-z"}));
  EXPECT_EQ(uids_of(pairs_.lone_requests()), Texts{"b:6"});
  EXPECT_EQ(pairs_.lone_answers().count, 0U);
}

TEST_F(ExchangePairsTest, OfWhichNothingIsToBeWrittenAreNoHindrance) {
  ask("a", "1");
  ask("b", "2");
  answer("b", "y");
  answer("a", "nothing");
  EXPECT_EQ(written_, Texts{"2-y"});
}

TEST_F(ExchangePairsTest, AreNamedWhereTheyHaveNoPartner) {
  for (int i = 0; i < 12; ++i) ask("q" + std::to_string(i), "1");
  for (int i = 0; i < 11; ++i) answer("r" + std::to_string(i), "1");
  pairs_.finish();
  EXPECT_EQ(pairs_.lone_requests().count, 12U);
  EXPECT_EQ(pairs_.lone_answers().count, 11U);
  ASSERT_EQ(pairs_.lone_requests().first.size(), LoneRecords::kMostNamed);
  EXPECT_EQ(uids_of(pairs_.lone_requests()).front(), "q0:1");
  EXPECT_EQ(uids_of(pairs_.lone_answers()).front(), "r0:13");
  EXPECT_EQ(written_, Texts{});
}

// About four slots in the window, two records in the store.
class SmallExchangePairsTest : public ExchangePairsTest {
 protected:
  SmallExchangePairsTest() : ExchangePairsTest({1200, 2}) {}
};

TEST_F(SmallExchangePairsTest, AreOutOfOrderWhereAnAnswerIsLate) {
  ask("late", "1");
  for (const char* uid : {"a", "b", "c", "d", "e", "f"}) {
    ask(uid, uid);
    answer(uid, "x");
  }
  EXPECT_EQ(written_, (Texts{"a-x", "b-x", "c-x", "d-x", "e-x", "f-x"}));
  answer("late", "y");
  EXPECT_EQ(written_.back(), "1-y");
  pairs_.finish();
  EXPECT_EQ(pairs_.out_of_order(), 1U);
  EXPECT_EQ(pairs_.lone_requests().count, 0U);
}

TEST_F(SmallExchangePairsTest, AreGivenUpWhereTooManyWait) {
  for (int i = 0; i < 10; ++i) ask(std::to_string(i), "t" + std::to_string(i));
  EXPECT_EQ(uids_of(pairs_.lone_requests()), (Texts{"0:1", "1:2", "2:3", "3:4"}));
  answer("0", "x");  // given up
  answer("4", "x");  // stored
  answer("9", "x");  // in the window
  pairs_.finish();
  EXPECT_EQ(written_, (Texts{"t4-x", "t9-x"}));
  EXPECT_EQ(uids_of(pairs_.lone_requests()),
            (Texts{"0:1", "1:2", "2:3", "3:4", "5:6", "6:7", "7:8", "8:9"}));
  EXPECT_EQ(uids_of(pairs_.lone_answers()), Texts{"0:11"});
}

// The store holds two records of 30 bytes.
class SmallStoreTest : public ExchangePairsTest {
 protected:
  SmallStoreTest() : ExchangePairsTest({0, 100}, 64) {}
};

TEST_F(SmallStoreTest, LosesTheOldest) {
  for (int i = 0; i < 4; ++i) ask(std::to_string(i), std::string(30, static_cast<char>('a' + i)));
  for (int i = 0; i < 4; ++i) answer(std::to_string(i), "x");
  pairs_.finish();
  EXPECT_EQ(written_, (Texts{std::string(30, 'c') + "-x", std::string(30, 'd') + "-x"}));
  EXPECT_EQ(uids_of(pairs_.lone_requests()), (Texts{"0:1", "1:2"}));
  EXPECT_EQ(uids_of(pairs_.lone_answers()), (Texts{"0:5", "1:6"}));
  EXPECT_EQ(pairs_.out_of_order(), 2U);
}

// Each exchange comes out once, whatever the order of records.
TEST_F(SmallExchangePairsTest, LoseNothingInAnyOrder) {
  std::mt19937 random(7);
  std::vector<std::pair<bool, std::string>> records;
  for (int i = 0; i < 300; ++i) {
    const std::string uid = std::to_string(i % 97);
    records.emplace_back(true, uid);
    records.emplace_back(false, uid);
  }
  std::shuffle(records.begin(), records.end(), random);
  for (const auto& [is_request, uid] : records) {
    is_request ? ask(uid, uid) : answer(uid, uid);
  }
  pairs_.finish();
  for (const std::string& text : written_) {
    EXPECT_EQ(text, text.substr(0, text.find('-')) + "-" + text.substr(0, text.find('-')));
  }
  EXPECT_EQ(written_.size() + pairs_.lone_requests().count, 300U);
  EXPECT_EQ(written_.size() + pairs_.lone_answers().count, 300U);
}

TEST(RecordStore, FailsInAFolderThatIsNotThere) {
  RecordStore store("/nonexistent/folder");
  EXPECT_EQ(store.failure(), 0);
  const RecordStore::Place place = store.add("text");
  EXPECT_EQ(store.failure(), ENOENT);
  EXPECT_EQ(store.read(place), std::nullopt);
}

class RecordStoreTest : public InFolder {};

TEST_F(RecordStoreTest, LeavesNothingBehind) {
  RecordStore store(folder());
  const RecordStore::Place first = store.add("first");
  const RecordStore::Place second = store.add("");
  EXPECT_EQ(store.read(first), "first");
  EXPECT_EQ(store.read(second), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
}

}  // namespace
}  // namespace aifd::convert
