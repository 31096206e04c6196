// Bodies as far as they are in a buffer already; what comes over a socket is tested elsewhere.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "aifd/net/client_body.hpp"
#include "aifd/net/client_input.hpp"
#include "aifd/net/upstream_body.hpp"
#include "support/scripted_body.hpp"

namespace aifd::net {
namespace {

using chain::Piece;
using protocol::BodyFraming;
using protocol::BodyKind;

const BodyFraming kChunked{BodyKind::chunked, 0};

BodyFraming length(std::uint64_t bytes) {
  return {BodyKind::length, bytes};
}

constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\n\r\n";

// A client whose bytes came before its request was read, and whose connection is closed.
class ClientInputTest : public testing::Test {
 protected:
  void arrived(std::string_view bytes) {
    input_.give_back(bytes);
    input_.finish_exchange();
  }

  Result<std::string_view> read_head() { return test::run_task(loop_, input_.read_head()); }

  std::unique_ptr<ClientBody> body(BodyFraming framing, ClientBody::Options options) {
    return std::make_unique<ClientBody>(stream_, input_, blocks_, framing, std::move(options));
  }

  std::unique_ptr<ClientBody> body(BodyFraming framing, std::uint64_t max_bytes = 1000) {
    ClientBody::Options options;
    options.max_bytes = max_bytes;
    options.on_end = [this] { ++ends_; };
    return body(framing, std::move(options));
  }

  Result<Piece> next(ClientBody& from) { return test::run_task(loop_, from.next()); }

  asio::io_context loop_;
  Stream stream_{Socket(loop_.get_executor())};
  ClientInput input_{stream_, loop_.get_executor()};
  BlockPool blocks_;
  int ends_ = 0;
};

TEST_F(ClientInputTest, GivesEachOfSeveralPipelinedHeads) {
  arrived(std::string(kHead) + "GET /2 HTTP/1.1\r\n\r\n" + "GET /3");
  EXPECT_EQ(*read_head(), kHead);
  input_.finish_exchange();
  EXPECT_EQ(*read_head(), "GET /2 HTTP/1.1\r\n\r\n");
  input_.finish_exchange();
  EXPECT_TRUE(input_.head_begun());
}

TEST_F(ClientInputTest, SaysThatAClientIsGoneWhoseHeadIsNotWhole) {
  arrived("GET / HTTP/1.1\r\n");
  const auto head = read_head();
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().kind, ErrorKind::client_gone);
}

TEST_F(ClientInputTest, RefusesAHeadOver64KiBWithoutWaitingForItsEnd) {
  arrived("GET / HTTP/1.1\r\nX: " + std::string(65536, 'x'));
  const auto head = read_head();
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().kind, ErrorKind::head_too_large);
}

TEST_F(ClientInputTest, RefusesAHeadOver64KiBThatIsWhole) {
  arrived("GET / HTTP/1.1\r\nX: " + std::string(65536, 'x') + "\r\n\r\n");
  const auto head = read_head();
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().kind, ErrorKind::head_too_large);
}

using ClientBodyTest = ClientInputTest;

TEST_F(ClientBodyTest, OfNoneIsEndedAndEmpty) {
  const auto none = body({});
  EXPECT_TRUE(none->ended());
  EXPECT_EQ(none->left(), 0U);
  EXPECT_TRUE(none->ready());
  EXPECT_TRUE(next(*none)->last);
}

TEST_F(ClientBodyTest, OfLengthZeroEndsWithItsFirstPiece) {
  const auto empty = body(length(0));
  EXPECT_FALSE(empty->ended());
  EXPECT_TRUE(empty->ready());
  const auto piece = next(*empty);
  EXPECT_TRUE(piece->last);
  EXPECT_EQ(piece->bytes, "");
  EXPECT_TRUE(empty->ended());
  EXPECT_EQ(ends_, 1);
}

TEST_F(ClientBodyTest, ThatCameWithItsHeadIsOnePieceAndTheNextRequestStays) {
  arrived(std::string(kHead) + "hello" + std::string(kHead));
  ASSERT_TRUE(read_head());
  const auto five = body(length(5));
  EXPECT_EQ(five->left(), 5U);
  const auto piece = next(*five);
  EXPECT_EQ(piece->bytes, "hello");
  EXPECT_TRUE(piece->last);
  EXPECT_EQ(five->left(), 0U);
  EXPECT_EQ(ends_, 1);
  input_.finish_exchange();
  EXPECT_EQ(*read_head(), kHead);
}

TEST_F(ClientBodyTest, ThatIsChunkedLeavesTheNextRequestAlone) {
  arrived(std::string(kHead) + "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: v\r\n\r\n" + std::string(kHead));
  ASSERT_TRUE(read_head());
  const auto chunked = body(kChunked);
  EXPECT_EQ(chunked->left(), std::numeric_limits<std::uint64_t>::max());
  const auto piece = next(*chunked);
  EXPECT_EQ(piece->bytes, "hello");
  EXPECT_TRUE(piece->last);
  EXPECT_TRUE(chunked->ended());
  input_.finish_exchange();
  EXPECT_EQ(*read_head(), kHead);
}

TEST_F(ClientBodyTest, ThatIsChunkedAndLongLeavesTheNextRequestAlone) {
  const std::string text(20'000, 'x');
  arrived(std::string(kHead) + "4e20\r\n" + text + "\r\n0\r\n\r\n" + std::string(kHead));
  ASSERT_TRUE(read_head());
  const auto chunked = body(kChunked, 30'000);
  const auto piece = next(*chunked);
  EXPECT_EQ(piece->bytes, text);
  EXPECT_FALSE(piece->last);
  const auto end = next(*chunked);
  EXPECT_EQ(end->bytes, "");
  EXPECT_TRUE(end->last);
  EXPECT_TRUE(chunked->ended());
  input_.finish_exchange();
  EXPECT_EQ(*read_head(), kHead);
}

TEST_F(ClientBodyTest, ThatIsNothingButLongTrailersEndsWithoutAWait) {
  arrived(std::string(kHead) + "0\r\nT: " + std::string(16'374, 'v') + "\r\n\r\n");
  ASSERT_TRUE(read_head());
  const auto chunked = body(kChunked);
  const auto piece = next(*chunked);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->bytes, "");
  EXPECT_TRUE(piece->last);
}

TEST_F(ClientBodyTest, OfWhichPartCameWithItsHeadIsNotYetWhole) {
  arrived(std::string(kHead) + "hel");
  ASSERT_TRUE(read_head());
  const auto large = body(length(1'000'000), 2'000'000);
  const auto piece = next(*large);
  EXPECT_EQ(piece->bytes, "hel");
  EXPECT_FALSE(piece->last);
  EXPECT_EQ(large->left(), 999'997U);
}

TEST_F(ClientBodyTest, IsReadIntoTheRoomOfWhoKeepsIt) {
  arrived(std::string(kHead) + "hello world" + std::string(kHead));
  ASSERT_TRUE(read_head());
  const auto eleven = body(length(11));
  std::array<char, 8> room{};
  const auto first = test::run_task(loop_, eleven->next_into(room));
  EXPECT_EQ(first->bytes, "hello wo");
  EXPECT_EQ(first->bytes.data(), room.data());
  EXPECT_FALSE(first->last);
  const auto last = test::run_task(loop_, eleven->next_into(room));
  EXPECT_EQ(last->bytes, "rld");
  EXPECT_TRUE(last->last);
  EXPECT_EQ(ends_, 1);
  input_.finish_exchange();
  EXPECT_EQ(*read_head(), kHead);
}

TEST_F(ClientBodyTest, ThatIsChunkedIsDecodedWhereItCame) {
  arrived(std::string(kHead) + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
  ASSERT_TRUE(read_head());
  const auto chunked = body(kChunked);
  std::array<char, 8> room{};
  const auto piece = test::run_task(loop_, chunked->next_into(room));
  EXPECT_EQ(piece->bytes, "hello");
  EXPECT_TRUE(piece->last);
}

TEST_F(ClientBodyTest, ThatIsReadIntoRoomAndNotFinishedIsCut) {
  arrived(std::string(kHead) + "hel");
  ASSERT_TRUE(read_head());
  const auto five = body(length(5));
  std::array<char, 8> room{};
  EXPECT_EQ(test::run_task(loop_, five->next_into(room))->bytes, "hel");
  const auto rest = test::run_task(loop_, five->next_into(room));
  ASSERT_FALSE(rest);
  EXPECT_EQ(rest.error().kind, ErrorKind::client_gone);
}

TEST_F(ClientBodyTest, ThatTheClientDoesNotFinishIsCut) {
  arrived(std::string(kHead) + "hel");
  ASSERT_TRUE(read_head());
  const auto five = body(length(5));
  EXPECT_EQ(next(*five)->bytes, "hel");
  EXPECT_EQ(five->left(), 2U);
  EXPECT_FALSE(five->ready());
  const auto rest = next(*five);
  ASSERT_FALSE(rest);
  EXPECT_EQ(rest.error().kind, ErrorKind::client_gone);
  EXPECT_EQ(ends_, 0);
}

TEST_F(ClientBodyTest, OverTheLimitIsRefused) {
  for (const std::string_view bytes : {"5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n"}) {
    ClientInput input(stream_, loop_.get_executor());
    input.give_back(std::string(kHead) + std::string(bytes));
    input.finish_exchange();
    ASSERT_TRUE(test::run_task(loop_, input.read_head()));
    ClientBody chunked(stream_, input, blocks_, kChunked,
                       {.max_bytes = 4, .on_waiting = {}, .on_end = {}});
    const auto piece = next(chunked);
    ASSERT_FALSE(piece);
    EXPECT_EQ(piece.error().kind, ErrorKind::body_too_large);
  }
}

TEST_F(ClientBodyTest, WithBadChunksIsRefused) {
  arrived(std::string(kHead) + "5\r\nhello!\r\n0\r\n\r\n");
  ASSERT_TRUE(read_head());
  const auto chunked = body(kChunked);
  const auto piece = next(*chunked);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().kind, ErrorKind::bad_request);
  EXPECT_EQ(piece.error().source, ErrorSource::client);
}

class UpstreamBodyTest : public testing::Test {
 protected:
  asio::io_context loop_;
  Ticker ticker_{loop_};
  UpstreamConnection connection_{Socket(loop_.get_executor()), ticker_};
  bool read_whole_ = false;
};

TEST_F(UpstreamBodyTest, OfLengthZeroIsReadWholeWithoutAByte) {
  UpstreamBody empty(connection_, length(0), std::chrono::seconds(1), read_whole_);
  EXPECT_TRUE(empty.ready());
  const auto piece = test::run_task(loop_, empty.next());
  EXPECT_TRUE(piece->last);
  EXPECT_TRUE(read_whole_);
}

TEST_F(UpstreamBodyTest, OfAClosedConnectionIsBrokenAndNeverWhole) {
  for (const BodyFraming& framing : {length(5), kChunked, BodyFraming{BodyKind::until_close, 0}}) {
    UpstreamBody cut(connection_, framing, std::chrono::seconds(1), read_whole_);
    EXPECT_FALSE(cut.ready());
    const auto piece = test::run_task(loop_, cut.next());
    ASSERT_FALSE(piece);
    EXPECT_EQ(piece.error().kind, ErrorKind::upstream_broke);
    EXPECT_FALSE(read_whole_);
  }
}

}  // namespace
}  // namespace aifd::net
