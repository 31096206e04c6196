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

// Asked in vain for a verdict at once, it gives it on request.
class WaitingLink final : public Middleware {
 public:
  WaitingLink(bool waits, std::vector<std::string>& asked) : waits_(waits), asked_(asked) {}
  std::string_view name() const noexcept override { return "waiting"; }

  std::optional<Result<Verdict>> try_request(Exchange& /*exchange*/) const override {
    asked_.push_back("at once");
    if (waits_) return std::nullopt;
    return Verdict{Pass{}};
  }

  Task<Result<Verdict>> on_request(Exchange& /*exchange*/) const override {
    asked_.push_back("on request");
    co_return Verdict{Pass{}};
  }

 private:
  bool waits_;
  std::vector<std::string>& asked_;
};

Chain chain_of(bool first_waits, bool second_waits, std::vector<std::string>& asked) {
  std::vector<std::unique_ptr<Middleware>> links;
  links.push_back(std::make_unique<WaitingLink>(first_waits, asked));
  links.push_back(std::make_unique<WaitingLink>(second_waits, asked));
  return Chain(std::move(links));
}

TEST_F(ChainTest, TryRunGoesAsFarAsNoLinkWaits) {
  std::size_t next = 0;
  EXPECT_FALSE(chain_of(false, true, asked_).try_run(*exchange_, next).has_value());
  EXPECT_EQ(next, 1U);
  next = 0;
  EXPECT_TRUE(test::passed(*chain_of(false, false, asked_).try_run(*exchange_, next)));
}

TEST_F(ChainTest, RunAsksFromThereOnAndWaitsWhereItMust) {
  EXPECT_TRUE(test::passed(test::run_task(chain_of(true, true, asked_).run(*exchange_, 1))));
  EXPECT_EQ(asked_, (std::vector<std::string>{"at once", "on request"}));
}

}  // namespace
}  // namespace aifd::chain
