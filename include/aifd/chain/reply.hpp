// An answer, from wherever it comes, and the small ones made here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/chain/body_source.hpp"
#include "aifd/chain/exchange.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::chain {

// The head's views live in the exchange's arena or in what `body` owns.
struct Reply {
  protocol::ResponseHead head;
  protocol::BodyFraming
      framing;  // of the body that follows; the client's side may be framed otherwise
  std::unique_ptr<BodySource> body;  // null: none
};

// Changes an answer as a whole before its first byte is written: what a tap must not. Owned by its
// exchange.
class ReplyEdit {
 public:
  ReplyEdit() = default;
  ReplyEdit(const ReplyEdit&) = delete;
  ReplyEdit& operator=(const ReplyEdit&) = delete;
  virtual ~ReplyEdit() = default;

  // The answer to send instead, or the error to answer with.
  virtual Task<Result<Reply>> edit(Exchange& exchange, Reply reply) = 0;
};

// A small answer made here: the text with its type.
Reply text_reply(Exchange& exchange, int status, std::string_view reason,
                 std::string_view content_type, std::string text);

// The one function that makes an Error an answer: status, dialect, and the id of the request where
// the dialect has a place for it.
Reply error_reply(Exchange& exchange, const Error& error);

// The standard reason phrase of a status; "" for one unknown here.
std::string_view reason_phrase(int status) noexcept;

}  // namespace aifd::chain
