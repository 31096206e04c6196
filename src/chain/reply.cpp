#include "aifd/chain/reply.hpp"

#include <array>

#include "aifd/protocol/dialect.hpp"

namespace aifd::chain {

Reply text_reply(Exchange& exchange, int status, std::string_view reason,
                 std::string_view content_type, std::string text) {
  Reply reply;
  reply.head.status = status;
  reply.head.reason = reason;
  reply.head.fields.add("Content-Type", content_type);
  reply.framing = {protocol::BodyKind::length, text.size()};
  if (exchange.request.method == "HEAD") {
    reply.framing = {protocol::BodyKind::none, 0};
    reply.head.fields.add("Content-Length", exchange.keep(std::to_string(text.size())));
  } else {
    reply.body = std::make_unique<TextBody>(std::move(text));
  }
  return reply;
}

Reply error_reply(Exchange& exchange, const Error& error) {
  const int status = error_status(error.kind);
  protocol::ErrorText text = protocol::render_error(error, exchange.dialect, exchange.request_id);
  return text_reply(exchange, status, reason_phrase(status), exchange.keep(text.content_type),
                    std::move(text.body));
}

std::string_view reason_phrase(int status) noexcept {
  struct Row {
    int status;
    std::string_view phrase;
  };
  static constexpr std::array kRows{
      Row{200, "OK"},
      Row{204, "No Content"},
      Row{400, "Bad Request"},
      Row{401, "Unauthorized"},
      Row{403, "Forbidden"},
      Row{404, "Not Found"},
      Row{405, "Method Not Allowed"},
      Row{408, "Request Timeout"},
      Row{413, "Content Too Large"},
      Row{421, "Misdirected Request"},
      Row{426, "Upgrade Required"},
      Row{429, "Too Many Requests"},
      Row{431, "Request Header Fields Too Large"},
      Row{500, "Internal Server Error"},
      Row{501, "Not Implemented"},
      Row{502, "Bad Gateway"},
      Row{503, "Service Unavailable"},
      Row{504, "Gateway Timeout"},
  };
  for (const Row& row : kRows) {
    if (row.status == status) return row.phrase;
  }
  return {};
}

}  // namespace aifd::chain
