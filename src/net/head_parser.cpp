#include "aifd/net/head_parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <limits>

#include "aifd/protocol/framing.hpp"

namespace aifd::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

// Keeps views where Beast's own message would copy. They stay valid because check_raw_head
// refuses obs-fold first, the one case in which Beast hands out a buffer of its own.
template <bool is_request, class Head>
class HeadParser final : public http::basic_parser<is_request> {
 public:
  HeadParser() {
    this->header_limit(static_cast<std::uint32_t>(protocol::kMaxHeadBytes));
    this->body_limit(std::numeric_limits<std::uint64_t>::max());
    this->skip(
        true);  // the body's framing is decided by protocol::check_request and check_response
    head.fields.reserve(24);
  }

  Head head;

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    if constexpr (is_request) {
      head.method = view(method);
      head.target = view(target);
      head.version_minor = static_cast<unsigned>(version % 10);
    }
  }

  void on_response_impl(int status, string_view reason, int version, error_code&) override {
    if constexpr (!is_request) {
      head.status = status;
      head.reason = view(reason);
      head.version_minor = static_cast<unsigned>(version % 10);
    }
  }

  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    head.fields.add(view(name), view(value));
  }

  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

template <bool is_request, class Head>
Result<Head> parse(std::string_view bytes, ErrorKind kind, ErrorSource source) {
  if (Result<void> checked = protocol::check_raw_head(bytes); !checked) {
    Error error = checked.error();
    if (!is_request) error.kind = kind;
    error.source = source;
    return error;
  }
  HeadParser<is_request, Head> parser;
  error_code ec;
  parser.put(boost::asio::buffer(bytes), ec);
  if (ec || !parser.is_header_done()) {
    const std::string what = ec ? ec.message() : "incomplete head";
    return Error{kind, source, false,
                 std::string(is_request ? "The request" : "The upstream's answer") +
                     " is not valid HTTP/1.1: " + what + "."};
  }
  return std::move(parser.head);
}

}  // namespace

Result<protocol::RequestHead> parse_request_head(std::string_view bytes) {
  return parse<true, protocol::RequestHead>(bytes, ErrorKind::bad_request, ErrorSource::client);
}

Result<protocol::ResponseHead> parse_response_head(std::string_view bytes) {
  return parse<false, protocol::ResponseHead>(bytes, ErrorKind::upstream_malformed,
                                              ErrorSource::upstream);
}

}  // namespace aifd::net
