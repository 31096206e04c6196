#include <gtest/gtest.h>

#include "aifd/chain/middleware.hpp"
#include "support/test_exchange.hpp"

namespace aifd::chain {
namespace {

using test::TestExchange;

enum class Does { pass, answer, refuse };

class Link final : public Middleware {
 public:
  Link(std::string name, Does does, std::vector<std::string>& asked)
      : name_(std::move(name)), does_(does), asked_(asked) {}
  std::string_view name() const noexcept override { return name_; }

  Task<Result<Verdict>> on_request(Exchange& exchange) const override {
    asked_.push_back(name_);
    if (does_ == Does::refuse) {
      co_return Error{ErrorKind::no_route, ErrorSource::client, false, name_};
    }
    if (does_ == Does::answer) {
      co_return Verdict{text_reply(exchange, 200, "OK", "text/plain", name_)};
    }
    co_return Verdict{Pass{}};
  }

 private:
  std::string name_;
  Does does_;
  std::vector<std::string>& asked_;
};

class ChainTest : public testing::Test {
 protected:
  Result<Verdict> run(const std::vector<Does>& links) {
    std::vector<std::unique_ptr<Middleware>> made;
    for (const Does does : links) {
      made.push_back(std::make_unique<Link>(std::to_string(made.size()), does, asked_));
    }
    const Chain chain(std::move(made));
    return test::run_task(chain.run(*exchange_));
  }

  std::vector<std::string> asked_;
  TestExchange exchange_{"GET /"};
};

TEST_F(ChainTest, PassesWhenEmpty) {
  EXPECT_TRUE(test::passed(run({})));
}

TEST_F(ChainTest, AsksEveryLinkInOrderWhileTheyPass) {
  EXPECT_TRUE(test::passed(run({Does::pass, Does::pass, Does::pass})));
  EXPECT_EQ(asked_, (std::vector<std::string>{"0", "1", "2"}));
}

TEST_F(ChainTest, TheFirstAnswerWins) {
  Result<Verdict> verdict = run({Does::pass, Does::answer, Does::answer, Does::refuse});
  EXPECT_EQ(test::body_of(test::answer_of(verdict)), "1");
  EXPECT_EQ(asked_, (std::vector<std::string>{"0", "1"}));
}

TEST_F(ChainTest, AnErrorStopsIt) {
  const Result<Verdict> verdict = run({Does::pass, Does::refuse, Does::answer});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().detail, "1");
  EXPECT_EQ(asked_, (std::vector<std::string>{"0", "1"}));
}

}  // namespace
}  // namespace aifd::chain
